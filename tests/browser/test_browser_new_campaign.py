"""From a file to a campaign, in a real browser over all processes: each person once, whatever happens to the press."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fleet import Fleet
from people import phones
from playwright.sync_api import expect
from staging import add_draft, add_phones, csv
from visiting import Visit, Visiting
from waiting import until


@pytest.fixture(scope="module")
def fleet(start_fleet: Callable[..., Fleet]) -> Fleet:
    made = start_fleet("bridge", "api", "worker", "dispatcher", "console", simulator_latency_ms=1)
    add_phones(made, 4)
    return made


def test_three_people_from_the_file_to_the_third_ones_reason(fleet: Fleet, visiting: Visiting) -> None:
    people = ["+972501234501", "+972501234502", "+972501299001"]
    visit = visiting(fleet)
    visit.page.get_by_role("link", name="New campaign").first.click()
    visit.arrives("new").sees("The people, as a CSV file")
    visit.page.locator("input[type=file]").set_input_files(
        {"name": "November promo.csv", "mimeType": "text/csv", "buffer": csv(people)}
    )
    visit.sees("3 will receive it").press("Next: Message")
    visit.page.get_by_label("Message").fill("Hello {name|there}, our shop opens on Sunday.")
    visit.press("Next: When and pace").sees("From which phones").press("Next: Check")
    visit.sees("Hello Person 1, our shop opens on Sunday.").sees("4 of 4 can send now")
    visit.press("Launch to 3 people").arrives("campaign").sees("November promo")
    stays = visit.stays_open()
    visit.sees("Finished: 1 not delivered").sees("Finished, not everybody reached").sees("This number is not on WhatsApp").sees("Do not retry")
    campaign_id = int(visit.parameter("campaign") or 0)
    assert fleet.one("SELECT status FROM campaigns WHERE id = :id", id=campaign_id) == "partial"
    visit.press("Show them").sees("Select a row to see that person's story.")
    visit.choose_row(0).sees("+972 50-129-9001").sees("not sent: This number is not on WhatsApp (the bridge said so)")
    assert stays()
    received = fleet.received()
    assert {person: received.get(person, 0) for person in people} == dict(zip(people, (1, 1, 0), strict=True))
    assert sorted(d["text"] for d in fleet.deliveries()) == [
        f"Hello Person {number}, our shop opens on Sunday." for number in (1, 2)
    ]
