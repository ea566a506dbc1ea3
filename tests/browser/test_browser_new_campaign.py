"""From a file to a campaign, in a real browser over all processes: each person once, whatever happens to the press."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fleet import Fleet
from people import phones
from playwright.sync_api import Locator, expect
from pressing import CAMPAIGN, PHONES, held, people_of, until_waiting
from standing import add_draft, add_phones, csv
from visiting import Visit, Visiting


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
    visit.sees("Hello Person 1, our shop opens on Sunday.", "4 of 4 can send now")
    visit.press("Launch to 3 people").arrives("campaign").sees("November promo")
    stays = visit.stays_open()
    visit.sees("Finished: 1 not delivered", "Finished, not everybody reached")
    visit.sees("This number is not on WhatsApp", "Do not retry")
    campaign_id = int(visit.parameter("campaign") or 0)
    assert fleet.one("SELECT status FROM campaigns WHERE id = :id", id=campaign_id) == "partial"
    visit.press("Show them").sees("Select a row to see that person's story.")
    visit.choose_row(1).sees("+972 50-129-9001", "not sent: This number is not on WhatsApp (the bridge said so)")
    assert stays()
    received = fleet.received()
    assert {person: received.get(person, 0) for person in people} == dict(zip(people, (1, 1, 0), strict=True))
    assert sorted(d["text"] for d in fleet.deliveries()) == [
        f"Hello Person {number}, our shop opens on Sunday." for number in (1, 2)
    ]


def test_a_draft_outlives_a_reload_and_is_the_same_for_a_colleague(fleet: Fleet, visiting: Visiting) -> None:
    draft_id = add_draft(fleet, phones(2), title="Autumn", message="")
    visit = visiting(fleet).open("new", draft=draft_id, step="message")
    text = visit.page.get_by_label("Message")
    text.fill("Hello {name|there}!\nDo you come on Sunday?")
    visit.sees("Hello Person 1!")  # the field was not left
    expect(text).to_be_focused()
    visit.page.reload()
    for here in (visit, visiting(fleet)):
        if here is not visit:
            here.page.goto(visit.page.url)
        expect(here.quiet().page.get_by_label("Message")).to_have_value("Hello {name|there}!\nDo you come on Sunday?")


def test_a_double_click_on_launch_is_one_campaign(fleet: Fleet, visiting: Visiting) -> None:
    visit = visiting(fleet)
    for round_, quick in enumerate((True, False)):
        people = phones(5, start=100 + 10 * round_)
        draft_id = add_draft(fleet, people, title=f"Pressed twice, {round_}")
        visit.open("new", draft=draft_id, step="check")
        if quick:
            launch_of(visit).dblclick()
        else:
            with held(fleet, CAMPAIGN, draft_id):
                launch_of(visit).click()
                until_waiting(fleet)
                launch_of(visit).click()  # the first one's launch is under way
        visit.arrives("campaign").sees("Finished: everybody was sent to.")
        assert_launched_once(fleet, draft_id, people)


def test_two_tabs_that_launch_the_same_draft_are_one_campaign(fleet: Fleet, visiting: Visiting) -> None:
    people = phones(5, start=200)
    draft_id = add_draft(fleet, people, title="Two tabs")
    tabs = [visiting(fleet).open("new", draft=draft_id, step="check") for _ in range(2)]
    with held(fleet, CAMPAIGN, draft_id):
        for tab in tabs:
            launch_of(tab).click()
        until_waiting(fleet, 2)
    for tab in tabs:
        tab.arrives("campaign").sees("Finished: everybody was sent to.")
        assert tab.parameter("campaign") == str(draft_id)
    assert_launched_once(fleet, draft_id, people)


MOMENTS = {
    "at once": None,
    "while the phones are asked": PHONES,
    "while it is written": CAMPAIGN,
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_tab_closed_while_launching_leaves_none_or_one_and_whole(
    fleet: Fleet, visiting: Visiting, moment: str
) -> None:
    people = phones(5, start=300 + 10 * list(MOMENTS).index(moment))
    draft_id = add_draft(fleet, people, title=f"Closed {moment}")
    visit = visiting(fleet).open("new", draft=draft_id, step="check")
    if (rows := MOMENTS[moment]) is None:
        launch_of(visit).click()
        visit.page.close()
    else:
        with held(fleet, rows, draft_id):
            launch_of(visit).click()
            until_waiting(fleet)
            visit.page.close()
            assert people_of(fleet, draft_id) == ("draft", 5, 0)
    # Whatever has come of it, a colleague finds it whole, and can end what was begun.
    status, waiting, sent = people_of(fleet, draft_id)
    assert (waiting, sent) == ((5, 0) if status == "draft" else (0, 5))
    colleague = visiting(fleet).open("new", draft=draft_id, step="check")
    ended = colleague.page.get_by_text("Finished: everybody was sent to.")
    expect(launch_of(colleague).or_(ended).first).to_be_visible()
    if not ended.is_visible():
        launch_of(colleague).click()
    colleague.sees("Finished: everybody was sent to.")
    assert_launched_once(fleet, draft_id, people)


def launch_of(visit: Visit) -> Locator:
    return visit.button("Launch to 5 people")


def assert_launched_once(fleet: Fleet, draft_id: int, people: list[str]) -> None:
    """One campaign of this draft, one launch in the audit, and everybody was sent to once."""
    subject = f"campaign:{draft_id}"
    assert fleet.one("SELECT count(*) FROM audit WHERE action = 'launch' AND subject = :s", s=subject) == 1
    found = fleet.rows("SELECT DISTINCT campaign_id FROM messages WHERE phone = ANY(:people)", people=people)
    assert found == [(draft_id,)]
    received = fleet.received()
    assert {person: received[person] for person in people} == dict.fromkeys(people, 1)
