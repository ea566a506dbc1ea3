"""A campaign's page where only a browser can say: who is chosen in a table, what stays open, what is typed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fleet import Fleet
from people import add_devices
from placing import place_campaign, place_message, use_devices
from playwright.sync_api import expect
from visiting import Visiting


@pytest.fixture
def fleet(make_fleet: Callable[..., Fleet]) -> Fleet:
    made = make_fleet().start("console")
    with made.engine.begin() as db:
        (device,) = add_devices(db, 1)
        campaign = place_campaign(db, title="November promo")
        use_devices(db, campaign, device)
        for number in range(1, 131):
            place_message(db, campaign, device_id=device, name=f"Person {number}")
    return made


def test_on_page_two_nobody_is_chosen_who_was_on_page_one(fleet: Fleet, visiting: Visiting) -> None:
    visit = visiting(fleet).open("campaign", campaign=1, tab="recipients")
    story = visit.page.locator(".st-key-story")
    visit.choose_row(3)
    expect(story).to_contain_text("Person 3")
    visit.page.reload()
    expect(story).to_contain_text("Person 3")
    visit.press("Next 100").sees("Select a row")
    expect(story).to_have_count(0)
    visit.choose_row(3)
    expect(story).to_contain_text("Person 103")
    visit.press("Previous 100").sees("Select a row")
    expect(story).to_have_count(0)
    visit.choose_row(5)
    expect(story).to_contain_text("Person 5")


def test_cancelling_is_typed_and_what_is_typed_outlives_the_refresh(fleet: Fleet, visiting: Visiting) -> None:
    visit = visiting(fleet).open("campaign", campaign=1)
    visit.press("More").press("Cancel the campaign…").sees("130 people will not get it")
    typed = visit.page.get_by_role("dialog").get_by_role("textbox")
    typed.fill("yes")
    updated = visit.page.get_by_text("Updated").text_content() or ""
    expect(visit.page.get_by_text("Updated")).not_to_have_text(updated)  # the page behind it was drawn anew
    visit.press("Cancel the campaign").sees("Nothing was done")
    assert fleet.one("SELECT status FROM campaigns") == "running"
    expect(typed).to_have_value("yes")
    typed.fill("cancel")
    visit.press("Cancel the campaign").sees("Cancelled: 130 people were not sent to")
    assert fleet.rows("SELECT status, count(*) FROM messages GROUP BY status") == [("cancelled", 130)]


def test_a_phone_shows_it_without_scrolling_sideways(fleet: Fleet, visiting: Visiting) -> None:
    visit = visiting(fleet, width=390, height=844)
    for tab in ("failures", "recipients", "devices", "timeline", "message"):
        visit.open("campaign", campaign=1, tab=tab).sees("November promo")
        assert not visit.overflows, tab
