"""Two of a kind at the same moment, a person's decision against a receipt, and the pace after what went out late."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from people import add_devices, workspace
from placing import begin_next, place_campaign, place_message, use_devices
from racing import during
from sqlalchemy import Connection, Engine, text

from bridge.protocol import Closed, KeyState, NotSent, Roster, Sent, SessionStatus
from services import control, deliver, doubts, expire, hand_over, health, receipts, recover, schedule, trouble
from services.deliver import Begun
from services.receipts import Incoming
from services.refused import Refused


def delivered(db: Connection, key: str) -> None:
    """Keep a receipt of this attempt."""
    data = {"key": key, "status": "delivered"}
    receipts.store(db, [Incoming(key, "device1", "receipt", datetime.now(UTC), data)])


def begun_slowly(db: Connection) -> Begun:
    """A message of a phone with a gap of a minute, begun so long ago that the gap is over."""
    (device_id,) = add_devices(db, 1, gap_s=60.0)
    place_message(db, None, device_id=device_id)
    begun = begin_next(db, device_id)
    assert begun is not None
    db.execute(text("UPDATE devices SET next_send_at = clock_timestamp()"))
    return begun


def rests(db: Connection) -> timedelta:
    """For how long the phone does not send."""
    found: timedelta = db.execute(text("SELECT next_send_at - clock_timestamp() FROM devices")).scalar_one()
    return found


def test_of_two_that_fire_what_is_due_one_does_and_the_other_does_not_wait(engine: Engine) -> None:
    with engine.begin() as db:
        campaign_id = place_campaign(db, "scheduled", scheduled_at=datetime.now(UTC) - timedelta(minutes=1))
        use_devices(db, campaign_id, *add_devices(db, 1))
    assert during(engine, schedule.fire_due, schedule.fire_due) == ({}, False)


def test_of_two_that_apply_events_one_does_and_the_other_does_not_wait(engine: Engine) -> None:
    with engine.begin() as db:
        message_id = place_message(db, None, "sent", device_id=add_devices(db, 1)[0], attempts=["sent"])
        delivered(db, f"{message_id}.1")
    assert during(engine, receipts.apply, receipts.apply) == (0, False)


def test_of_two_that_come_to_look_at_a_bridge_the_second_finds_the_first_there(engine: Engine) -> None:
    with engine.begin() as db:
        add_devices(db, 1)
    take = partial(health.take, address="default")
    assert during(engine, take, take) == (False, True)


def test_a_phone_that_comes_back_at_the_moment_of_its_hand_over_stays_in(engine: Engine) -> None:
    with engine.begin() as db:
        (device_id,) = add_devices(db, 1)
        campaign_id = place_campaign(db)
        use_devices(db, campaign_id, device_id)
        for _ in range(trouble.STRIKES_OUT):
            trouble.strike(db, device_id, "not_connected", "gone")
    well = SessionStatus("device1", "open", True, True, False, 5, None, None, None)
    handed_over = during(
        engine,
        lambda db: health.record(db, "default", Roster(None, [well]), interval_s=30),
        partial(hand_over.hand_over, campaign_id=campaign_id),
    )
    assert handed_over == ([], True)


def test_what_a_receipt_settles_at_this_moment_is_not_sent_again(engine: Engine) -> None:
    with engine.begin() as db:
        message_id = place_message(db, None, "unknown", device_id=add_devices(db, 1)[0], attempts=["unknown"])
        delivered(db, f"{message_id}.1")
        here = workspace(db)
    with pytest.raises(Refused, match="not in doubt"):
        during(engine, receipts.apply, lambda db: doubts.send_again(db, here, message_id, who="dana"))


def test_the_gap_counts_from_the_hand_over(db: Connection) -> None:
    deliver.record(db, begun_slowly(db), Sent("an id", duration_s=2.0), max_attempts=3, rng=random.Random(1))
    assert timedelta(seconds=57) < rests(db) < timedelta(seconds=59)


def test_what_may_have_gone_out_just_now_counts_for_the_gap(db: Connection) -> None:
    begun_slowly(db)
    db.execute(text("UPDATE messages SET lease_until = clock_timestamp()"))
    (doubt,) = recover.overdue(db, lease_s=40)
    assert recover.settle(db, doubt, None, max_attempts=3, rng=random.Random(1)) == "unknown"
    assert rests(db) > timedelta(seconds=59)


def test_what_they_refuse_for_now_is_not_tried_before_the_time_they_ask_for(db: Connection) -> None:
    throttled = NotSent("throttled", "slow down", "answer", retryable=True, retry_after_s=300.0)
    deliver.record(db, begun_slowly(db), throttled, max_attempts=3, rng=random.Random(1))
    assert rests(db) > timedelta(seconds=290)


def test_what_is_lost_with_its_worker_uses_up_an_attempt(db: Connection) -> None:
    begun_slowly(db)
    db.execute(text("UPDATE messages SET lease_until = clock_timestamp()"))
    (doubt,) = recover.overdue(db, lease_s=40)
    assert (
        recover.settle(db, doubt, Closed(KeyState.CLOSED, None, None, 3600), max_attempts=3, rng=random.Random(1))
        == "queued"
    )
    assert db.execute(text("SELECT attempts_used FROM messages")).scalar_one() == 1


def test_a_number_that_whatsapp_does_not_take_is_retried_only_when_it_is_named(db: Connection, device: int) -> None:
    campaign_id = place_campaign(db, "failed")
    use_devices(db, campaign_id, device)
    code = "not_on_whatsapp"
    place_message(db, campaign_id, "failed", device_id=device, attempts=["not_sent"], error_code=code)
    assert control.retry(db, campaign_id, who="dana") == 0
    assert control.retry(db, campaign_id, who="dana", codes=[code]) == 1


def test_a_paused_campaign_does_not_expire_by_what_its_phone_owes_another(db: Connection, device: int) -> None:
    for status in ("paused", "running"):
        campaign_id = place_campaign(db, status)
        use_devices(db, campaign_id, device)
        long_ago = datetime.now(UTC) - timedelta(hours=4)
        place_message(db, campaign_id, device_id=device, due_at=long_ago)
    db.execute(text("UPDATE devices SET next_send_at = :at"), {"at": long_ago})
    db.execute(text("INSERT INTO marks (name, at) VALUES ('stalled', :at)"), {"at": long_ago})
    assert expire.expire(db, window_s=3 * 3600) == {campaign_id: 1}
