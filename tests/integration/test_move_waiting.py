"""What waits on a phone that is to go: moved to others that can send, or cancelled; never what may have been sent."""

from __future__ import annotations

import pytest
from people import add_devices, workspace
from placing import begin_next, place_campaign, place_message, use_devices
from sqlalchemy import Connection, text

from services.cancel_waiting import cancel_waiting
from services.move_waiting import Moved, move_waiting
from services.refused import Refused


def device_of(db: Connection, message_id: int) -> int:
    return int(db.execute(text("SELECT device_id FROM messages WHERE id = :id"), {"id": message_id}).scalar_one())


def audited(db: Connection) -> list[tuple[str, str, str, dict[str, int]]]:
    return [tuple(row) for row in db.execute(text("SELECT who, action, subject, details FROM audit ORDER BY id"))]  # type: ignore[misc]


def test_what_was_never_sent_goes_to_the_campaigns_other_phones(db: Connection) -> None:
    going, other, _ = add_devices(db, 3)
    campaign = place_campaign(db)
    use_devices(db, campaign, going, other)
    new = place_message(db, campaign, device_id=going)
    proven = place_message(db, campaign, device_id=going, attempts=["not_sent"])
    doubted = place_message(db, campaign, device_id=going, attempts=["unknown"])
    held = place_message(db, campaign, "processing", device_id=going, attempts=["begun"])
    assert move_waiting(db, workspace(db), going, who="dana") == Moved(moved=2, left=1)
    assert [device_of(db, id) for id in (new, proven, doubted, held)] == [other, other, going, going]
    assert audited(db) == [("dana", "move_waiting", f"device:{going}", {"moved": 2, "left": 1})]
    begun = begin_next(db, other)
    assert begun is not None
    assert begun.message_id == new


def test_a_campaign_of_one_phone_and_single_messages_go_to_any_phone_of_the_same_kind(db: Connection) -> None:
    going, other, simulated = add_devices(db, 3)
    add_devices(db, 1, can_send=False, name="away")
    db.execute(text("UPDATE devices SET provider = 'baileys' WHERE id <> :id"), {"id": simulated})
    campaign = place_campaign(db)
    use_devices(db, campaign, going)
    waiting = [place_message(db, campaign, device_id=going), place_message(db, None, device_id=going)]
    assert move_waiting(db, workspace(db), going, who="dana") == Moved(moved=2, left=0)
    assert [device_of(db, id) for id in waiting] == [other, other]
    begun = {begin.message_id for slot in (0, 1) if (begin := _begin(db, other, slot))}
    assert begun == set(waiting)


def _begin(db: Connection, device_id: int, slot: int) -> object:
    db.execute(text("UPDATE devices SET in_flight_limit = 2, next_send_at = clock_timestamp()"))
    return begin_next(db, device_id, slot=slot)


def test_when_nobody_can_take_over_nothing_changes_and_it_is_said(db: Connection) -> None:
    (going,) = add_devices(db, 1)
    add_devices(db, 1, can_send=False, name="away")
    message = place_message(db, None, device_id=going)
    with pytest.raises(Refused, match="no other phone") as refused:
        move_waiting(db, workspace(db), going, who="dana")
    assert (refused.value.code, refused.value.details) == ("NOT_POSSIBLE", {"left": 1})
    assert device_of(db, message) == going
    assert audited(db) == []


def test_cancelling_ends_what_waits_here_and_nothing_else(db: Connection) -> None:
    going, other = add_devices(db, 2)
    campaign = place_campaign(db)
    place_message(db, campaign, device_id=going)
    place_message(db, None, device_id=going)
    place_message(db, campaign, device_id=other)
    place_message(db, campaign, "processing", device_id=going, attempts=["begun"])
    assert cancel_waiting(db, workspace(db), going, who="dana") == 2
    assert cancel_waiting(db, workspace(db), going, who="dana") == 0
    states = db.execute(text("SELECT status, count(*) FROM messages GROUP BY status ORDER BY status"))
    assert [tuple(row) for row in states] == [("cancelled", 2), ("processing", 1), ("queued", 1)]
    assert audited(db) == [("dana", "cancel_waiting", f"device:{going}", {"cancelled": 2})]


@pytest.mark.parametrize("do", [move_waiting, cancel_waiting])
def test_a_phone_that_is_not_there_is_not_found(db: Connection, do: object) -> None:
    with pytest.raises(Refused, match="no device"):
        do(db, workspace(db), 999, who="dana")  # type: ignore[operator]
