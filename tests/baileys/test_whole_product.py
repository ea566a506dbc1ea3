"""From the browser to WhatsApp: three phones are linked in the console, and a campaign is read by everybody."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "browser"))

from fleet import Fleet
from linked_fleet import bridge_of, everybody_once
from partner import FakeWhatsApp, Sidecar, new_phone
from people import phones
from playwright.sync_api import sync_playwright
from standing import csv
from visiting import Visit, visit
from waiting import until

from local import chromium

PEOPLE = phones(9, start=800_000)


@pytest.fixture
def fleet(make_fleet: Callable[..., Fleet]) -> Fleet:
    return make_fleet()


@pytest.fixture
def sidecar(fleet: Fleet, fake: FakeWhatsApp) -> Iterator[Sidecar]:
    running = bridge_of(fleet, fake)
    yield running
    running.end()


@pytest.fixture
def visitor(fleet: Fleet, sidecar: Sidecar) -> Iterator[Visit]:
    """Somebody at the console of a fleet that has no phone yet."""
    fleet.start("api", "worker", "dispatcher", "console")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=chromium.arguments())
        yield visit(browser, fleet, width=1440, height=900, entered=True)
        browser.close()


def test_from_three_qr_codes_to_everybody_has_read_it(
    visitor: Visit, fleet: Fleet, sidecar: Sidecar, fake: FakeWhatsApp
) -> None:
    for number in range(1, 4):
        link_a_phone(visitor, fleet, sidecar, fake, f"Sales {number}")
    # The usual pace of a real phone is one message in 5 to 15 s.
    fleet.execute("UPDATE devices SET min_gap_s = 0.1, max_gap_s = 0.2")

    visitor.open("new")
    visitor.page.locator("input[type=file]").set_input_files(
        {"name": "November promo.csv", "mimeType": "text/csv", "buffer": csv(PEOPLE)}
    )
    visitor.sees(f"{len(PEOPLE)} will receive it").press("Next: Message")
    visitor.page.get_by_label("Message").fill("Hello {name|there}, our shop opens on Sunday.")
    visitor.press("Next: When and pace").sees("From which phones").press("Next: Check")
    visitor.sees("3 of 3 can send now").press(f"Launch to {len(PEOPLE)} people").arrives("campaign")
    visitor.sees("Finished: everybody was sent to.")
    campaign_id = int(visitor.parameter("campaign") or 0)
    until(lambda: fleet.counts(campaign_id) == {"read": len(PEOPLE)}, "everybody has read it")
    assert fleet.one("SELECT status FROM campaigns WHERE id = :id", id=campaign_id) == "completed"
    everybody_once(fake, PEOPLE)
    for place, person in enumerate(PEOPLE, start=1):
        (got,) = fake.received(person)
        assert got["text"] == f"Hello Person {place}, our shop opens on Sunday."


def link_a_phone(visitor: Visit, fleet: Fleet, sidecar: Sidecar, fake: FakeWhatsApp, name: str) -> None:
    """Add a phone in the console, scan its code with the fake phone, and see it connected without a reload."""
    visitor.open("devices").press("Add a phone")
    visitor.page.get_by_label("Name").fill(name)
    visitor.press("Add and show its QR code").sees("Point the phone at this code.")
    visitor.page.get_by_alt_text("QR code to scan").wait_for()
    stays = visitor.stays_open()
    session = str(fleet.one("SELECT session FROM devices WHERE name = :name", name=name))
    phone = new_phone()
    fake.scan(sidecar.bridge.qr(session), phone)
    visitor.sees("Connected as")
    assert stays()
    visitor.press("Done")
    assert fleet.one("SELECT phone FROM devices WHERE name = :name", name=name) == f"+{phone}"
