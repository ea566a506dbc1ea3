"""``make demo``: a broadcast to the 200 people of samples/people.csv, by the REST API, watched until it ends."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import requests

import settings as environment
from local.environment import host_for_clients
from local.errors import LocalError
from settings import ROOT, Settings

SAMPLE = ROOT / "samples" / "people.csv"
MESSAGE = "Hello {name|there}, your voucher {voucher|is waiting} is ready in {city|your city}."
LOOK_EVERY_S = 0.5
PAIRING_S = 30.0
BAR = 30


class Api:
    """The API of the run on this machine."""

    def __init__(self, settings: Settings) -> None:
        data_dir = (ROOT / settings.data_dir).resolve()
        port = _read(data_dir / "ports.json")["api"]
        token = (
            settings.api_token.get_secret_value()
            if settings.api_token
            else _read(data_dir / "secrets.json")["api_token"]
        )
        self._url = f"http://{host_for_clients(settings)}:{port}/api"
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {token}"

    def ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        """The JSON of an answer. Raises LocalError with the API's own words when it refuses."""
        try:
            answer = self._session.request(method, self._url + path, timeout=60, **more)
        except requests.RequestException:
            raise LocalError("nothing answers: start `make up` in another terminal first") from None
        body: dict[str, Any] = answer.json()
        if not answer.ok:
            raise LocalError(f"the API refused: {body.get('message', answer.status_code)}")
        return body


def demo(api: Api) -> None:
    """Launch and show until it ends. Only simulated phones send: the people of the sample are nobody's to write to."""
    phones = _simulated_phones(api)
    with SAMPLE.open("rb") as file:
        launched = api.ask(
            "POST",
            "/broadcasts/csv",
            files={"file": (SAMPLE.name, file, "text/csv")},
            data={
                "message": MESSAGE,
                "title": "Demo",
                "allow_repeat": "true",
                "device_ids": ",".join(map(str, phones)),
            },
        )
    broadcast_id = launched["broadcast_id"]
    print(
        f"Broadcast {broadcast_id}: queued {launched['queued_count']} people,"
        f" {launched['invalid_recipients_count']} rows set aside"
    )
    for row in launched["invalid"][:5]:
        print(f"  row {row['row']}: {row['reason']}")
    _watch(api, broadcast_id)


def _simulated_phones(api: Api) -> list[int]:
    """Demo phones pair within seconds of the first start. Raises LocalError when none of them can send."""
    deadline = time.monotonic() + PAIRING_S
    while True:
        phones = [phone for phone in api.ask("GET", "/devices")["devices"] if phone["provider"] == "simulator"]
        if any(phone["can_send"] for phone in phones):
            return [phone["id"] for phone in phones]
        if not phones or time.monotonic() > deadline:
            raise LocalError("no simulated phone can send: the demo needs `BRIDGE=simulator make up`")
        time.sleep(LOOK_EVERY_S)


def _watch(api: Api, broadcast_id: int) -> None:
    while True:
        broadcast = api.ask("GET", f"/broadcasts/{broadcast_id}")
        ended = broadcast["finished_at"] is not None
        _show(broadcast, last=ended)
        if ended:
            return _show_end(broadcast)
        time.sleep(LOOK_EVERY_S)


def _show(broadcast: dict[str, Any], *, last: bool) -> None:
    counts, total = broadcast["counts"], broadcast["total"]
    waiting = counts["queued"] + counts["processing"]
    full = round(BAR * (total - waiting) / total) if total else BAR
    reached = counts["sent"] + counts["delivered"] + counts["read"]
    line = (
        f"{broadcast['status']:>9} [{'█' * full}{'·' * (BAR - full)}] {total - waiting}/{total}"
        f"  sent {reached} (delivered {counts['delivered'] + counts['read']}, read {counts['read']})"
        f"  failed {counts['failed']}  unknown {counts['unknown']}"
    )
    if sys.stdout.isatty():
        print(f"\r{line}\x1b[K", end="\n" if last else "", flush=True)
    else:
        print(line, flush=True)


def _show_end(broadcast: dict[str, Any]) -> None:
    missed = broadcast["counts"]["failed"] + broadcast["counts"]["unknown"]
    print(f"Ended {broadcast['status']}: {missed} of {broadcast['total']} did not get it.")
    for (reason, retryable), count in Counter(
        (failure["reason"], failure["retryable"]) for failure in broadcast["failures"]
    ).most_common():
        print(f"  {count} × {reason} ({'nothing went out' if retryable else 'may have gone out'})")


def _read(file: Path) -> dict[str, Any]:
    try:
        read: dict[str, Any] = json.loads(file.read_text())
    except FileNotFoundError:
        raise LocalError("nothing runs here: start `make up` in another terminal first") from None
    return read


def main() -> int:
    try:
        demo(Api(environment.load()))
    except (LocalError, environment.SettingsError) as error:
        print(f"make demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nThe broadcast goes on.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
