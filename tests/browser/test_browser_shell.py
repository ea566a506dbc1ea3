"""The gate, the switch for all sending, and what stays true while servers are away, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from fleet import SECRETS, Fleet
from people import add_devices, launch_to, phones
from playwright.sync_api import expect
from sqlalchemy import text
from visiting import Visit
from waiting import until

from local.postgres import EmbeddedPostgres

Visiting = Callable[..., Visit]


@pytest.fixture
def fleet(make_fleet: Callable[..., Fleet]) -> Fleet:
    made = make_fleet().start("console")
    with made.engine.begin() as db:
        add_devices(db, 21)
        add_devices(db, 3, can_send=False, name="away")
        launch_to(db, phones(19_270), title="November promo")
    return made


def test_a_reload_does_not_ask_again_and_signing_out_does(fleet: Fleet, visiting: Visiting) -> None:
    visit = visiting(fleet)
    visit.open("system").sees("System")
    cookie = next(c for c in visit.context.cookies() if c["name"] == "fanfare_console")
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"
    expect(visiting(fleet, entered=False).page.locator("input[type=password]")).to_have_count(1)
    visit.press("Account")
    with visit.page.expect_response("**/leave"):
        visit.button("Sign out").click()
    visit.open().sees("Password")
    for forged in ("forged", "x" * 10_000_000):
        assert requests.post(f"{fleet.console_url}/enter", data=forged, timeout=5).status_code == 403


def test_the_address_follows_a_link_to_the_page_it_stands_on(fleet: Fleet, visiting: Visiting) -> None:
    visit = visiting(fleet).open("devices")
    visit.link("Open").first.click()
    visit.page.wait_for_url("**/devices?device=*")
    opened = visit.parameter("device")
    visit.follow("All phones").page.wait_for_url("**/devices")
    visit.link("Open").nth(1).click()  # with the address of before, a press would open the first one again
    visit.page.wait_for_url("**/devices?device=*")
    assert visit.parameter("device") != opened
    visit.page.go_back()
    visit.sees("3 phones need you")
    visit.page.reload()
    visit.quiet().sees("3 phones need you")


def test_stopping_everything_is_one_press_and_starting_is_two(fleet: Fleet, visiting: Visiting) -> None:
    visit = visiting(fleet)
    visit.press("Stop all sending").sees("All sending is stopped since")
    assert fleet.one("SELECT sending_stopped_at FROM workspaces") is not None
    # The page refreshes every five seconds; what somebody is reading stays open.
    visit.press("Start sending…").sees("19,270 messages wait and will begin to go out.")
    visit.button("Start sending").click()
    visit.sees("Sending is in trouble")  # nobody is there to send
    assert fleet.one("SELECT sending_stopped_at FROM workspaces") is None
    assert fleet.rows("SELECT action FROM audit WHERE action <> 'launch' ORDER BY id") == [("stop_all",), ("go",)]


def test_when_the_database_stops_the_figures_stay_and_come_back(
    fleet: Fleet, visiting: Visiting, postgres: EmbeddedPostgres
) -> None:
    visit = visiting(fleet)
    expect(visit.figure("Pending")).to_have_text("19,270")
    postgres.stop()
    try:
        visit.sees("the database does not answer").sees("Sending: not known")
        expect(visit.figure("Pending")).to_have_text("19,270")
        visiting(fleet).sees("19,270")  # whoever comes only now sees the last figures, too
    finally:
        postgres.start()
    fleet.engine.dispose()  # its connections broke with the server
    with fleet.engine.begin() as db:
        db.execute(text("DELETE FROM messages WHERE id % 10 = 0"))
    visit.sees_not("the database does not answer")
    expect(visit.figure("Pending")).to_have_text("17,343")
    assert "Traceback" not in fleet.log("console")
    assert SECRETS["CONSOLE_PASSWORD"] not in fleet.log("console")


def test_hebrew_is_mirrored_and_numbers_are_not(fleet: Fleet, visiting: Visiting) -> None:
    visit = visiting(fleet)
    visit.open(lang="he")
    side = visit.page.get_by_test_id("stSidebar").bounding_box()
    assert side is not None
    assert side["x"] > 700  # on the right
    expect(visit.figure("24")).to_have_text("\u2067\u206621\u2069 מתוך \u206624\u2069\u2069")
    # The language stays: over a reload, and to the next page.
    visit.page.reload()
    visit.quiet()
    visit.page.get_by_test_id("stSidebarNavLink").last.click()
    visit.page.wait_for_url("**/system?lang=he")


@pytest.mark.parametrize("lang", ["en", "he"])
def test_on_a_phone_nothing_is_cut_off(fleet: Fleet, visiting: Visiting, lang: str) -> None:
    visit = visiting(fleet, width=390, height=844).open(lang=lang)
    assert not visit.overflows

    def four() -> list[Any]:
        boxes = [box for box in (f.bounding_box() for f in visit.page.get_by_test_id("stMetric").all()) if box]
        return boxes if len(boxes) == 4 else []

    boxes = until(four, "four figures are shown")
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes)
    assert boxes[0]["y"] == boxes[1]["y"]  # two in a line
    button = visit.page.locator(".st-key-stop-all button").bounding_box()
    assert button is not None
    assert button["x"] >= 0
    assert button["x"] + button["width"] <= 390
