"""Sequences that are rare: three failures of two kinds, a look that crosses a park, a send that ends after its phone is out,
a retry while all phones are."""

from __future__ import annotations

import random

from people import add_devices, launch_to, phones
from placing import begin_next
from racing import during
from sqlalchemy import Connection, Engine, text

from bridge.protocol import Closed, KeyState, NotSent, Roster, Sent, SessionStatus
from services import campaign_end, control, deliver, distribute, hand_over, health, recover

LOST = Closed(KeyState.CLOSED, None, None, 3600)


def _refused_by_provider(db: Connection, device: int) -> None:
    begun = begin_next(db, device)
    assert begun is not None
    no = NotSent("provider_error", "no", "answer", retryable=True)
    deliver.record(db, begun, no, max_attempts=3, rng=random.Random(1))
    db.execute(text("UPDATE messages SET due_at = clock_timestamp()"))


def test_who_lost_one_worker_is_not_poison(db: Connection) -> None:
    (device,) = add_devices(db, 1)
    distribute.distribute(db, launch_to(db, phones(1)).campaign_id)
    for _ in range(2):
        _refused_by_provider(db, device)
    assert begin_next(db, device) is not None  # by a worker that is lost, for instance with a release
    db.execute(text("UPDATE messages SET lease_until = clock_timestamp()"))
    (doubt,) = recover.overdue(db, 40.0)
    recover.settle(db, doubt, LOST, max_attempts=3, rng=random.Random(1))
    assert db.execute(text("SELECT status, error_code FROM messages")).one() == ("failed", "worker_lost")


def test_a_look_from_before_does_not_undo_a_park_that_is_committed_meanwhile(engine: Engine) -> None:
    with engine.begin() as db:
        (device,) = add_devices(db, 1)
        distribute.distribute(db, launch_to(db, phones(2)).campaign_id)
        begun = begin_next(db, device)
        assert begun is not None
    # It was away for a moment since the look before, so this look changes its row.
    told = SessionStatus("device1", "open", True, True, False, 5, None, None, None)
    no = NotSent("banned", "no", "answer", retryable=True)
    during(
        engine,
        lambda db: deliver.record(db, begun, no, max_attempts=3, rng=random.Random(1)),
        lambda db: health.record(db, "default", Roster(None, [told]), interval_s=30),
    )
    with engine.begin() as db:
        assert db.execute(text("SELECT can_send, parked_until::text FROM devices")).one() == (False, "infinity")


def test_a_good_send_that_was_under_way_does_not_keep_a_phone_that_is_out_in_its_campaigns(db: Connection) -> None:
    away = SessionStatus("device1", "closed", False, False, False, None, None, None, None)
    device, _ = add_devices(db, 2)
    campaign_id = launch_to(db, phones(8)).campaign_id
    distribute.distribute(db, campaign_id)
    begun = begin_next(db, device)
    assert begun is not None
    fine = SessionStatus("device2", "open", True, True, False, 5, None, None, None)
    for _ in range(3):
        health.record(db, "default", Roster(None, [away, fine]), interval_s=30)
        db.execute(text("UPDATE devices SET next_check_at = clock_timestamp() WHERE next_check_at <> 'infinity'"))
    deliver.record(db, begun, Sent("id", 0.0), max_attempts=3, rng=random.Random(1))
    for _ in range(4):
        health.record(db, "default", Roster(None, [away, fine]), interval_s=30)
        db.execute(text("UPDATE devices SET next_check_at = clock_timestamp() WHERE next_check_at <> 'infinity'"))
    hand_over.hand_over(db, campaign_id)
    waiting = "SELECT count(*) FROM messages WHERE device_id = :id AND status = 'queued'"
    assert db.execute(text(waiting), {"id": device}).scalar_one() == 0


def test_a_campaign_that_is_retried_while_all_its_phones_are_out_says_so(db: Connection) -> None:
    (device,) = add_devices(db, 1)
    campaign_id = launch_to(db, phones(1)).campaign_id
    distribute.distribute(db, campaign_id)
    begun = begin_next(db, device)
    assert begun is not None
    no = NotSent("provider_error", "no", "answer", retryable=False)
    deliver.record(db, begun, no, max_attempts=3, rng=random.Random(1))
    db.execute(text("UPDATE devices SET can_send = false, strikes = 3, error_code = 'not_connected'"))
    hand_over.hand_over(db, campaign_id)
    campaign_end.end_if_done(db, campaign_id)
    assert control.retry(db, campaign_id, who="api") == 1
    for struck in hand_over.struck_campaigns(db):
        hand_over.hand_over(db, struck)
    assert db.execute(text("SELECT status, pause_reason FROM campaigns")).one() == ("paused", "no_device")
