"""What passes in between: an end against a receipt, a hand-over against a return, a cancel against begins, a repeat."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from threading import Event

from people import add_devices, launch_to, phones, workspace
from placing import begin_next, place_campaign, place_message, use_devices
from sqlalchemy import Connection, Engine, text
from waiting import until

from bridge.protocol import NotSent, Roster, Sent, SessionStatus
from db.engine import run
from services import aggregate, control, deliver, distribute, hand_over, health, receipts, recover, trouble
from services.delete_device import delete_device
from services.deliver import Begun, Recorded
from services.receipts import Incoming

OPEN = SessionStatus("device1", "open", True, True, False, 5, None, None, None)


def receipt(message_id: int, status: str = "delivered") -> Incoming:
    return Incoming(
        f"event {message_id}", "device1", "receipt", datetime.now(UTC), {"key": f"{message_id}.1", "status": status}
    )


def record(db: Connection, begun: Begun | None, result: Sent | NotSent) -> Recorded:
    assert begun is not None
    return deliver.record(db, begun, result, max_attempts=3, rng=random.Random(1))


def status_of(engine: Engine, table: str) -> str:
    with engine.begin() as db:
        return str(db.execute(text(f"SELECT status FROM {table} ORDER BY id LIMIT 1")).scalar_one())


def waits_for_a_lock(engine: Engine) -> bool:
    with engine.begin() as db:
        return bool(db.execute(text("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)")).scalar_one())


def at_once(engine: Engine, first: Callable[[Connection], object], second: Callable[[Connection], object]) -> None:
    """``second`` begins when ``first`` has done its work and not committed; both end."""
    with ThreadPoolExecutor(1) as pool, engine.connect() as db:
        transaction = db.begin()
        first(db)
        other = pool.submit(run, engine, second)
        until(lambda: other.done() or waits_for_a_lock(engine), "the other is done or waits")
        transaction.commit()
        other.result(timeout=10)


def test_a_receipt_that_passes_the_end_of_its_campaign_still_counts(engine: Engine) -> None:
    with engine.begin() as db:
        (device,) = add_devices(db, 1)
        campaign = place_campaign(db)
        place_message(db, campaign, "sent", device_id=device, attempts=["sent"])
        doubted = place_message(db, campaign, "unknown", device_id=device, attempts=["unknown"])
        receipts.store(db, [receipt(doubted)])
    at_once(engine, receipts.apply, lambda db: aggregate.aggregate(db, campaign))
    assert status_of(engine, "campaigns") == "completed"


def test_a_result_after_the_end_computes_it_anew(engine: Engine) -> None:
    with engine.begin() as db:
        (device,) = add_devices(db, 1)
        campaign = launch_to(db, phones(1)).campaign_id
        distribute.distribute(db, campaign)
        begun = begin_next(db, device)
        db.execute(text("UPDATE messages SET lease_until = clock_timestamp()"))
        (doubt,) = recover.overdue(db, lease_s=40)
        assert recover.settle(db, doubt, None, max_attempts=3, rng=random.Random(1)) == "unknown"
        assert aggregate.aggregate(db, campaign).status == "failed"
        assert record(db, begun, Sent("an id", 0.0)).status == "sent"
    assert status_of(engine, "campaigns") == "completed"


def test_a_phone_that_comes_back_during_its_hand_over_stays_in(engine: Engine) -> None:
    with engine.begin() as db:
        (device,) = add_devices(db, 1)
        campaign = place_campaign(db)
        use_devices(db, campaign, device)
        place_message(db, campaign, device_id=device)
        for _ in range(trouble.STRIKES_OUT):
            trouble.strike(db, device, "not_connected", "gone")

    with ThreadPoolExecutor(1) as pool, engine.connect() as db:
        transaction = db.begin()
        db.execute(text("SELECT id FROM campaigns FOR UPDATE"))  # so the hand-over has found the phone, and waits
        done = pool.submit(run, engine, partial(hand_over.hand_over, campaign_id=campaign))
        until(lambda: waits_for_a_lock(engine), "the hand-over waits")
        with engine.begin() as other:
            assert health.record(other, "default", Roster(None, [OPEN]), interval_s=30).came_back == [device]
        transaction.commit()
        assert done.result(timeout=10) == []
    assert status_of(engine, "campaigns") == "running"
    with engine.begin() as db:
        assert begin_next(db, device) is not None


def test_a_result_recorded_twice_is_borne_once(engine: Engine) -> None:
    with engine.begin() as db:
        (device,) = add_devices(db, 1)
        distribute.distribute(db, launch_to(db, phones(2)).campaign_id)
        db.execute(text("UPDATE devices SET day_count = 7, day = current_date"))
        begun = begin_next(db, device)
    refused = NotSent("not_connected", "gone", "answer", retryable=True)
    for status in ("queued", "late"):  # as after a COMMIT whose answer was lost
        with engine.begin() as db:
            assert record(db, begun, refused).status == status
    with engine.begin() as db:
        assert tuple(db.execute(text("SELECT strikes, day_count FROM devices")).one()) == (1, 7)


def test_a_busy_campaign_is_cancelled_by_one_try(engine: Engine) -> None:
    with engine.begin() as db:
        fleet = add_devices(db, 40)
        campaign = launch_to(db, phones(8000)).campaign_id
        distribute.distribute(db, campaign)
    stop, began = Event(), Event()

    def work(number: int) -> None:
        rng = random.Random(number)
        while not stop.is_set():
            begun = run(engine, lambda db: begin_next(db, rng.choice(fleet), seed=rng.randrange(1000)))
            if begun is not None:
                run(engine, partial(record, begun=begun, result=Sent(begun.key, 0.0)))
                began.set()

    with ThreadPoolExecutor(8) as pool:
        workers = [pool.submit(work, number) for number in range(8)]
        try:
            assert began.wait(10)
            with engine.begin() as db:  # once: a deadlock would raise
                control.cancel(db, campaign, who="dana")
        finally:
            stop.set()
        for worker in workers:
            worker.result(timeout=30)
    with engine.begin() as db:
        assert db.execute(text("SELECT count(*) FROM messages WHERE status = 'queued'")).scalar_one() == 0


def test_who_was_begun_while_a_campaign_was_cancelled_does_not_count_as_cancelled(engine: Engine) -> None:
    with engine.begin() as db:
        fleet = add_devices(db, 2)
        campaign = launch_to(db, phones(4)).campaign_id
        distribute.distribute(db, campaign)
    with engine.begin() as db:
        begin_next(db, fleet[0])
    ended: list[int] = []
    at_once(
        engine,
        lambda db: begin_next(db, fleet[1]),
        lambda db: ended.append(control.cancel(db, campaign, who="dana")),
    )
    assert ended == [2]


def test_a_receipt_of_an_attempt_that_was_never_begun_here_stops_no_other(engine: Engine) -> None:
    with engine.begin() as db:
        (device,) = add_devices(db, 1)
        campaign = place_campaign(db)
        fresh = place_message(db, campaign, device_id=device)
        sent = place_message(db, campaign, "sent", device_id=device, attempts=["sent"])
        receipts.store(db, [receipt(fresh), receipt(sent)])
        assert receipts.apply(db) == 2
        found = db.execute(text("SELECT id, status FROM messages ORDER BY id")).all()
    assert [tuple(row) for row in found] == [(fresh, "queued"), (sent, "delivered")]


def test_a_campaign_whose_phones_were_deleted_before_it_began_says_so(engine: Engine) -> None:
    with engine.begin() as db:
        (device,) = add_devices(db, 1)
        campaign = launch_to(db, phones(3)).campaign_id
        delete_device(db, workspace(db), device, confirmed=True, who="dana")
        assert distribute.distribute(db, campaign) == 0
        codes = {tuple(row) for row in db.execute(text("SELECT status, error_code FROM messages"))}
    assert status_of(engine, "campaigns") == "failed"
    assert codes == {("failed", "no_device")}
