"""The console under a campaign of very many people: the first page, navigation, thirty open pages, and a large upload."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from people import launch_to, phones
from placing import unguarded
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import Connection, text
from visiting import QUIET, Visit, visit

from benchmarks import machine, visitors
from benchmarks.machine import Usage
from benchmarks.stage import Servers, Stage, stage, wait_until
from benchmarks.visitors import Address, Run, Visitor
from local import chromium
from services import distribute

DEVICES = 100
PACE_S = (5.0, 15.0)
SETTLE_S = 75.0  # until all pages are open, and the console has set aside what lives on (console/serve.py)
FIGURE = f"{QUIET} [data-testid=stMetricValue]"
# What is pressed in the navigation, and the title of the page that opens
WAYS = {
    "Phones": "Phones",
    "All campaigns": "Campaigns",
    "New campaign": "New campaign",
    "System": "System",
    "Overview": "Overview",
}


@dataclass(frozen=True)
class Plan:
    """How large: people of the campaign, open pages, the windows of the watch, and how often a person's waits are timed."""

    people: int
    visitors: int
    windows: int
    window_s: float
    tries: int


@dataclass(frozen=True)
class ConsoleResult:
    """Waits in seconds, as a person at a browser has them. ``windows`` are one after the other: the parts of the open pages
    that were drawn anew in each, and the cores in use in ``usage``. ``watched_mb`` and ``peak_mb`` are the console's peak
    memory after the open pages and after the uploads."""

    plan: Plan
    first_page_s: list[float]
    navigation_s: list[float]
    windows: list[list[Run]]
    usage: list[Usage]
    watched_mb: float
    upload_s: list[float]
    peak_mb: float


def measure(servers: Servers, plan: Plan) -> ConsoleResult:
    """Launch a campaign that is mostly sent already, and open the console."""
    with stage(servers, devices=DEVICES, gap_s=PACE_S, receipts=True, threads=16) as on, _browser() as browser:
        campaign_id = _launch(on, plan.people)
        on.fleet.start("console")
        person = visit(browser, on.fleet, width=1440, height=900, entered=True)
        first_page_s = [_first_page_s(on, browser, person) for _ in range(plan.tries)]
        navigation_s = [_navigation_s(person, way) for _ in range(plan.tries) for way in WAYS]
        person.page.goto("about:blank")
        windows, usage = _watch(on, plan, _cookie(person), campaign_id)
        watched_mb = machine.peak_mb(on.parts()["console"])
        return ConsoleResult(
            plan=plan,
            first_page_s=first_page_s,
            navigation_s=navigation_s,
            windows=windows,
            usage=usage,
            watched_mb=watched_mb,
            upload_s=[_upload_s(person, on.fleet.folder, plan.people, number) for number in range(plan.tries)],
            peak_mb=machine.peak_mb(on.parts()["console"]),
        )


@contextmanager
def _browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium.find(), args=chromium.arguments())
        yield launched
        launched.close()


def _launch(on: Stage, people: int) -> int:
    """The id of a campaign that runs; of its people 60 % have read it, 20 % have received it and 3 % were missed."""
    with on.fleet.engine.begin() as db:
        campaign_id = launch_to(db, phones(people), title="November promo").campaign_id
        distribute.distribute(db, campaign_id)
        with unguarded(db):
            _place(db, campaign_id)
    wait_until(
        lambda: on.fleet.one("SELECT status = 'running' FROM campaigns WHERE id = :id", id=campaign_id),
        "the campaign runs",
        every_s=0.2,
    )
    return campaign_id


def _place(db: Connection, campaign_id: int) -> None:
    db.execute(
        text(
            "UPDATE messages SET attempt = 1, sent_at = now(), status = CASE"
            " WHEN id % 100 < 60 THEN 'read' WHEN id % 100 < 80 THEN 'delivered' ELSE 'failed' END,"
            " error_code = CASE WHEN id % 100 = 80 THEN 'not_connected' WHEN id % 100 > 80 THEN 'not_on_whatsapp' END,"
            " failed_at = CASE WHEN id % 100 >= 80 THEN now() END"
            " WHERE campaign_id = :id AND id % 100 < 83"
        ),
        {"id": campaign_id},
    )
    db.execute(
        text(
            "INSERT INTO minute_counts SELECT date_trunc('minute', now()) - make_interval(mins => n), workspace_id, id,"
            " 400 + n % 50, n % 7 FROM campaigns, generate_series(1, 1440) n WHERE id = :id"
        ),
        {"id": campaign_id},
    )


def _first_page_s(on: Stage, browser: Browser, person: Visit) -> float:
    """How long the first visitor of a console that was just started waits for the figures, with an empty browser."""
    on.fleet.kill("console")
    on.fleet.start("console")
    first = Visit(browser, on.fleet, width=1440, height=900)
    first.context.add_cookies(person.context.cookies())  # type: ignore[arg-type] # as it gives them, it takes them
    started_s = time.monotonic()
    first.page.goto(on.fleet.console_url)
    first.page.wait_for_selector(FIGURE)
    took_s = time.monotonic() - started_s
    first.close()
    person.open()
    return took_s


def _navigation_s(person: Visit, way: str) -> float:
    """From a press in the navigation until the other page is drawn."""
    link = person.page.get_by_test_id("stSidebarNavLink").filter(has_text=way)
    link.wait_for()
    started_s = time.monotonic()
    link.click()
    person.page.wait_for_selector(f"{QUIET} [data-testid=stHeading]:has-text('{WAYS[way]}')")
    return time.monotonic() - started_s


def _cookie(person: Visit) -> str:
    return "; ".join(f"{one['name']}={one['value']}" for one in person.context.cookies())


def _watch(on: Stage, plan: Plan, cookie: str, campaign_id: int) -> tuple[list[list[Run]], list[Usage]]:
    """Half of the visitors look at Overview and half at the campaign; what they and the console do in the windows."""
    pages = (Address("", ""), Address("campaign", f"campaign={campaign_id}"))
    there = [Visitor(on.fleet.console_url, cookie, pages[number % 2]) for number in range(plan.visitors)]
    until_s = time.monotonic() + SETTLE_S + plan.windows * plan.window_s
    with ThreadPoolExecutor(1) as pool:
        staying = pool.submit(lambda: asyncio.run(visitors.stay(there, until_s)))
        time.sleep(SETTLE_S)
        marks = [on.read()]
        for _ in range(plan.windows):
            time.sleep(plan.window_s)
            marks.append(on.read())
        staying.result()
    runs = [run for visitor in there for run in visitor.runs]
    pairs = list(pairwise(marks))
    return (
        [[run for run in runs if first.at_s <= run.at_s < last.at_s] for first, last in pairs],
        [machine.between(first, last) for first, last in pairs],
    )


def _upload_s(person: Visit, folder: Path, people: int, number: int) -> float:
    """From the choice of a file until it is said how many of its people will receive the message."""
    file = folder / f"people {number}.csv"
    rows = [f"{phone},Person {row},Haifa" for row, phone in enumerate(phones(people))]
    # One in a hundred is no number, and one in a hundred stands there twice.
    rows[::100] = ["12,Nobody,Haifa"] * len(rows[::100])
    rows[1::100] = rows[2::100]
    file.write_text("phone,name,city\n" + "\n".join(rows), encoding="utf-8")
    person.open("new")
    started_s = time.monotonic()
    person.page.locator("input[type=file]").set_input_files(file)
    person.page.wait_for_selector(f"{QUIET} :text('will receive it')")
    return time.monotonic() - started_s
