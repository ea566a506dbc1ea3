"""What a manager does to a campaign while it is sent and afterwards, in a real browser over all processes."""

from __future__ import annotations

from collections.abc import Callable

import phonenumbers
import pytest
from fleet import Fleet
from people import launch_to, phones
from playwright.sync_api import Locator, expect
from sqlalchemy import text
from standing import add_phones
from visiting import Visit, Visiting
from waiting import until

from services import control


@pytest.fixture(scope="module")
def fleet(start_fleet: Callable[..., Fleet]) -> Fleet:
    # A send may last a second at most, so that it is in doubt soon.
    return start_fleet("bridge", "api", "worker", "dispatcher", "console", send_limit_s=1, max_attempts=2)


def launched(fleet: Fleet, people: list[str], devices: list[int], title: str) -> int:
    with fleet.engine.begin() as db:
        return launch_to(db, people, message=f"{title}: hello", title=title, device_ids=devices).campaign_id


def received_by(fleet: Fleet, people: list[str]) -> dict[str, int]:
    """How often each of these received something; who did not is left out."""
    received = fleet.received()
    return {person: received[person] for person in people if person in received}


def test_while_it_is_paused_nothing_begins_and_after_that_it_ends(fleet: Fleet, visiting: Visiting) -> None:
    devices = add_phones(fleet, 2, name="paused", gap_s=2.0)  # slow enough for any machine to press Pause in time
    people, others = phones(30), phones(2, start=100)
    visit = visiting(fleet)
    campaign_id = launched(fleet, people, devices, "Paused")
    visit.open("campaign", campaign=campaign_id).press("Pause")
    visit.sees("Paused by hand. Nothing more is sent until you resume.")
    until(lambda: "processing" not in fleet.counts(campaign_id), "what was begun is sent")
    before = received_by(fleet, people)
    assert 0 < len(before) < len(people)
    # Its phones go on with another campaign, so they could have sent this one's.
    assert fleet.ended(launched(fleet, others, devices, "Meanwhile")) == "completed"
    assert received_by(fleet, people) == before
    with fleet.engine.begin() as db:
        db.execute(text("UPDATE devices SET min_gap_s = 0.05, max_gap_s = 0.05 WHERE id = ANY(:ids)"), {"ids": devices})
    visit.press("Resume").sees("Finished: everybody was sent to.")
    assert received_by(fleet, people) == dict.fromkeys(people, 1)


def test_only_what_is_safe_is_sent_again_and_a_person_decides_about_doubts(fleet: Fleet, visiting: Visiting) -> None:
    devices = add_phones(fleet, 4, name="retried")
    fine = phones(2, start=200)
    safe = [f"+97250{number}99006" for number in (22, 23, 24)]  # fail twice, then succeed
    hopeless = ["+972502299001", "+972502299002"]
    doubtful = [f"+97250{number}99004" for number in (22, 23, 24)]  # received, and no answer ever comes
    everybody = [*fine, *safe, *hopeless, *doubtful]
    visit = visiting(fleet)
    campaign_id = launched(fleet, everybody, devices, "Retried")
    give_up(fleet, campaign_id, doubts=3)
    visit.open("campaign", campaign=campaign_id)
    visit.sees("Finished: 8 not delivered · 3 of them may have arrived", "3 messages in doubt: please decide")
    before = dict.fromkeys([*fine, *doubtful], 1)
    assert received_by(fleet, everybody) == before

    visit.press("Retry 3 safe ones").sees("Finished: 5 not delivered · 3 of them may have arrived")
    assert received_by(fleet, everybody) == before | dict.fromkeys(safe, 1)
    assert attempts_at(fleet, [*hopeless, *doubtful]) == 5  # one each, of before
    expect(visit.page.get_by_role("button", name="Retry")).to_have_count(0)

    left, again, later = doubtful
    doubt_of(visit, left).get_by_role("button", name="Leave it").click()
    visit.sees("2 messages in doubt: please decide")
    doubt_of(visit, again).get_by_role("button", name="Send again, may arrive twice").click()
    visit.sees("1 message in doubt: please decide").press("Send all again…").sees("1 person may get the message twice.")
    until(lambda: received_by(fleet, doubtful) == {left: 1, again: 2, later: 1}, "one is sent again")
    # The question stays when the campaign changes its state behind it.
    with fleet.engine.begin() as db:
        control.pause(db, campaign_id, who="avi")
    visit.sees("Paused by hand.", "1 person may get the message twice.")
    visit.button("Send all again").click()
    visit.sees("1 message goes out again.")
    visit.press("Resume")
    until(lambda: received_by(fleet, doubtful) == {left: 1, again: 2, later: 2}, "the other one is sent again")


def test_all_sending_stops_from_a_campaign_and_its_list_is_not_moved_under_a_reader(
    fleet: Fleet, visiting: Visiting
) -> None:
    devices = add_phones(fleet, 2, name="stopped", gap_s=0.3)
    people = phones(30, start=300)
    visit = visiting(fleet)
    campaign_id = launched(fleet, people, devices, "Stopped")
    visit.open("campaign", campaign=campaign_id).press("Stop all sending").sees("All sending is stopped since")
    until(lambda: "processing" not in fleet.counts(campaign_id), "what was begun is sent")
    before = received_by(fleet, people)
    assert 0 < len(before) < len(people)
    waiting = len(people) - len(before)
    visit.press("Show Pending").sees("Select a row to see that person's story.").choose_row(1).sees("Not tried yet")
    story, seen = visit.page.locator(".st-key-story"), visit.rows()
    chosen = story.inner_text().partition("\n")[0]
    assert all("Waiting" in row for row in seen)
    assert received_by(fleet, people) == before

    visit.press("Start sending…").sees("messages wait and will begin to go out.")
    visit.button("Start sending").click()
    visit.sees("Finished: everybody was sent to.", f"{waiting} new results")
    assert visit.rows() == seen
    expect(story).to_contain_text(chosen)
    visit.press("Refresh").sees("Nobody is in this list.")
    assert received_by(fleet, people) == dict.fromkeys(people, 1)


def attempts_at(fleet: Fleet, people: list[str]) -> int:
    """How many attempts there were to hand something to these people."""
    statement = "SELECT count(*) FROM attempts a JOIN messages m ON m.id = a.message_id WHERE m.phone = ANY(:people)"
    return int(fleet.one(statement, people=people))


def give_up(fleet: Fleet, campaign_id: int, *, doubts: int) -> None:
    """Wait for so many sends in doubt, and have them begun so long ago that they are given up now, not in ten seconds."""
    in_doubt = (
        "FROM messages m WHERE m.campaign_id = :id AND m.status = 'processing'"
        " AND a.message_id = m.id AND a.number = m.attempt AND a.outcome = 'unknown'"
    )
    until(
        lambda: (
            fleet.one(f"SELECT count(*) FROM attempts a WHERE EXISTS (SELECT 1 {in_doubt})", id=campaign_id) == doubts
        ),
        f"{doubts} are in doubt",
    )
    fleet.execute(
        f"WITH doubts AS (UPDATE attempts a SET begun_at = a.begun_at - interval '15 s' {in_doubt} RETURNING a.message_id)"
        " UPDATE messages SET lease_until = clock_timestamp() WHERE id IN (SELECT message_id FROM doubts)",
        id=campaign_id,
    )


def doubt_of(visit: Visit, phone: str) -> Locator:
    """The line about a person's message in doubt."""
    number = phonenumbers.format_number(phonenumbers.parse(phone), phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    return visit.page.locator("[class*=st-key-doubt-]").filter(has_text=number)
