"""``make screenshots``: the pictures of docs/screenshots, taken from a run of its own, so that they show what is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import requests
from playwright.sync_api import Browser, Page, sync_playwright

import settings as environment
from local import chromium
from local.demo import MESSAGE, SAMPLE, Api
from local.errors import LocalError
from local.ports import any_free_port
from settings import ROOT

FOLDER = ROOT / "docs" / "screenshots"
DESK, HAND = (1440, 900), (390, 844)
WITHIN_S = 120.0
PASSWORD = "for the pictures"  # noqa: S105 - of a run that lasts a minute
DRAWN = "[data-testid=stApp][data-test-script-state=notRunning] [data-testid=stHeading]"
# A chart is drawn last: until then a grey box stands in its place
WHOLE = "() => !document.querySelector('[data-testid=stSkeleton]')"


@dataclass(frozen=True)
class Picture:
    """A page by its address, the size of the screen, and the button to press before it is taken."""

    name: str
    address: str
    size: tuple[int, int] = DESK
    press: str | None = None


def pictures(ended: int, draft: int, unpaired: int) -> list[Picture]:
    """All of them; the ids are of a campaign that has ended, of a draft, and of a phone that is not paired yet."""
    return [
        Picture("overview", "/"),
        Picture("overview-hebrew", "/?lang=he"),
        Picture("overview-on-a-phone", "/", HAND),
        Picture("campaigns", "/campaigns"),
        Picture("campaign", f"/campaign?campaign={ended}"),
        Picture("campaign-recipients", f"/campaign?campaign={ended}&tab=recipients"),
        Picture("campaign-devices", f"/campaign?campaign={ended}&tab=devices"),
        Picture("campaign-timeline", f"/campaign?campaign={ended}&tab=timeline"),
        Picture("campaign-hebrew", f"/campaign?campaign={ended}&lang=he"),
        Picture("campaign-on-a-phone", f"/campaign?campaign={ended}", HAND),
        Picture("new-people", f"/new?draft={draft}&step=people"),
        Picture("new-message", f"/new?draft={draft}&step=message"),
        Picture("new-pace", f"/new?draft={draft}&step=pace"),
        Picture("new-check", f"/new?draft={draft}&step=check"),
        Picture("phones", "/devices"),
        Picture("phones-qr", f"/devices?device={unpaired}", press="Scan QR"),
        Picture("system", "/system"),
        Picture("search", "/search?phone=%2B972501000017"),
    ]


@contextmanager
def running(folder: Path) -> Iterator[tuple[str, Api]]:
    """Everything of Fanfare on ports of its own; gives the console's address and the API."""
    ports = {name: str(any_free_port()) for name in ("CONSOLE_PORT", "API_PORT", "SIMULATOR_PORT")}
    ours = {**ports, "DATA_DIR": str(folder), "CONSOLE_PASSWORD": PASSWORD}
    with (folder / "up.log").open("wb") as log:
        up = subprocess.Popen(
            [sys.executable, "-m", "local.up"], cwd=ROOT, env={**os.environ, **ours}, stdout=log, stderr=log
        )
    try:
        console = f"http://127.0.0.1:{ports['CONSOLE_PORT']}"
        _until(lambda: _answers(f"http://127.0.0.1:{ports['API_PORT']}/readyz", up), "the API answers")
        _until(lambda: _answers(f"{console}/_stcore/health", up), "the console answers")
        chosen = environment.load().model_copy(update={"data_dir": folder, "api_token": None})
        yield console, Api(chosen)
    finally:
        up.send_signal(signal.SIGINT)
        up.wait(60)


def campaigns(api: Api) -> int:
    """A campaign that has ended, whose id is returned, and one that runs for some minutes."""
    _until(lambda: api.ask("GET", "/whatsapp/status")["can_send"], "a phone can send")
    ended = _launch(api, "October vouchers")
    _until(lambda: api.ask("GET", f"/broadcasts/{ended}")["finished_at"] is not None, "the first campaign ends")
    _launch(api, "November promo", min_delay_s="4", max_delay_s="8")
    return ended


def _launch(api: Api, title: str, **more: str) -> int:
    with SAMPLE.open("rb") as file:
        data = {"message": MESSAGE, "title": title, "allow_repeat": "true", **more}
        launched = api.ask("POST", "/broadcasts/csv", files={"file": (SAMPLE.name, file, "text/csv")}, data=data)
    return int(launched["broadcast_id"])


def _unpaired(api: Api) -> int:
    """A phone that waits for its QR code to be scanned."""
    device = {"name": "KL Sales 3", "provider": "simulator", "session": "kl-sales-3-qr"}
    return int(api.ask("POST", "/devices", json=device)["id"])


def enter(browser: Browser, console: str) -> Page:
    """A page of a browser that has passed the gate."""
    page = browser.new_page(device_scale_factor=1)
    page.goto(console)
    page.locator("input[type=password]").fill(PASSWORD)
    with page.expect_response("**/enter"):
        page.locator("input[type=password]").press("Enter")
    page.wait_for_selector(DRAWN)
    return page


def write_draft(page: Page, console: str) -> int:
    """A draft with its people and its message, written as a person writes it; returns its id."""
    page.goto(f"{console}/new")
    page.wait_for_selector(DRAWN)
    page.locator("input[type=file]").set_input_files(SAMPLE)
    page.wait_for_url("**draft=*")
    draft = int(parse_qs(urlsplit(page.url).query)["draft"][0])
    page.goto(f"{console}/new?draft={draft}&step=message")
    page.wait_for_selector(DRAWN)
    page.locator("textarea").first.fill(MESSAGE)
    page.locator("textarea").first.blur()
    page.get_by_text("Saved").wait_for()
    return draft


def take(page: Page, console: str, wanted: list[Picture]) -> None:
    """Take each picture."""
    for picture in wanted:
        page.set_viewport_size({"width": picture.size[0], "height": picture.size[1]})
        page.goto(f"{console}{picture.address}")
        page.wait_for_selector(DRAWN)
        if picture.press:
            page.get_by_role("button", name=picture.press).first.click()
            page.wait_for_selector("[role=dialog] svg, [role=dialog] img")
        page.wait_for_load_state("networkidle")
        page.wait_for_function(WHOLE)
        page.screenshot(path=FOLDER / f"{picture.name}.png", animations="disabled")
        print(f"  docs/screenshots/{picture.name}.png")


def _answers(url: str, up: subprocess.Popen[bytes]) -> bool:
    if up.poll() is not None:
        raise LocalError("the run for the pictures ended by itself")
    try:
        return requests.get(url, timeout=2).ok
    except requests.RequestException:
        return False


def _until(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not true():
        if time.monotonic() > deadline:
            raise LocalError(f"waited {WITHIN_S:.0f} s in vain: {what}")
        time.sleep(0.3)


def main() -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        path = chromium.find()
        with (
            tempfile.TemporaryDirectory() as folder,
            running(Path(folder)) as (console, api),
            sync_playwright() as play,
        ):
            ended = campaigns(api)
            browser = play.chromium.launch(executable_path=path, args=chromium.arguments())
            page = enter(browser, console)
            take(page, console, pictures(ended, write_draft(page, console), _unpaired(api)))
            browser.close()
    except (LocalError, environment.SettingsError) as error:
        print(f"make screenshots: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
