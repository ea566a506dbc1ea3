"""Results and recovery that come late or at the same moment as something else: each may only settle its own attempt."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Self

import pytest
import redis
from people import add_devices, launch_to, phones
from placing import begin_next, place_campaign, place_message, use_devices
from racing import during
from sqlalchemy import Connection, Engine, Row, text

from actors import broker as brokers
from bridge.protocol import BridgeAwayError, BridgeRefusedError, Closed, InDoubt, KeyState, NotSent, SendResult, Sent
from services import control, deliver, devices, distribute, receipts, recover
from services.deliver import Begun
from services.receipts import Incoming
from services.recover import Doubt
from services.suppress import suppress
from settings import Settings

LEASE_S = 40.0
CLOSED = Closed(KeyState.CLOSED, None, None, ledger_age_s=3600)
SENT = Sent("an id", 0.0)
AWAY = BridgeAwayError("bridge_unreachable", "the bridge does not answer")
REFUSES = BridgeRefusedError(500, "internal", "the bridge failed")
AGAIN = NotSent("provider_error", "no", "answer", retryable=True)


def begun(db: Connection) -> Begun:
    """The one message of a new campaign, begun."""
    (device_id,) = add_devices(db, 1)
    distribute.distribute(db, launch_to(db, phones(1)).campaign_id)
    return begun_again(db, device_id)


def begun_again(db: Connection, device_id: int) -> Begun:
    found = begin_next(db, device_id)
    assert found is not None
    return found


def overdue(db: Connection) -> Doubt:
    """The message as recovery finds it when its lease is over."""
    db.execute(text("UPDATE messages SET lease_until = clock_timestamp() WHERE status = 'processing'"))
    (doubt,) = recover.overdue(db, LEASE_S)
    return doubt


def second_attempt(db: Connection) -> tuple[Begun, Doubt]:
    """The first attempt, of which recovery has proved that it did not go out, and the second, which is under way, as a
    doubt about the first."""
    first = begun(db)
    doubt = overdue(db)
    assert recover.settle(db, doubt, CLOSED, max_attempts=3, rng=random.Random(1)) == "queued"
    db.execute(text("UPDATE messages SET due_at = clock_timestamp()"))
    begun_again(db, first.device_id)
    return first, doubt


def recorded(db: Connection, begun: Begun, result: SendResult) -> str:
    return deliver.record(db, begun, result, max_attempts=3, rng=random.Random(1)).status


def receipt(db: Connection, begun: Begun, status: str = "delivered") -> None:
    data = {"key": begun.key, "status": status}
    receipts.store(db, [Incoming("an event", begun.session, "receipt", datetime.now(UTC), data)])
    receipts.apply(db)


def message(db: Connection) -> Row[Any]:
    return db.execute(text("SELECT *, lease_until > clock_timestamp() AS leased FROM messages")).one()


def test_a_late_success_of_an_earlier_attempt_leaves_the_one_under_way_its_slot(db: Connection) -> None:
    first, _ = second_attempt(db)
    assert recorded(db, first, SENT) == "sent"
    assert (message(db).status, message(db).slot, message(db).leased) == ("sent", 0, True)


@pytest.mark.parametrize("result", [AGAIN, InDoubt("no_answer", "broken")], ids=["not sent", "in doubt"])
def test_another_late_result_of_an_earlier_attempt_changes_nothing(db: Connection, result: SendResult) -> None:
    first, _ = second_attempt(db)
    recorded(db, first, result)
    assert (message(db).status, message(db).slot, message(db).leased) == ("processing", 0, True)


def test_a_late_doubt_gives_no_lease_to_what_recovery_has_settled(db: Connection) -> None:
    first = begun(db)
    recover.settle(db, overdue(db), None, max_attempts=3, rng=random.Random(1))
    recorded(db, first, InDoubt("no_answer", "broken"))
    assert (message(db).status, message(db).slot, message(db).lease_until) == ("unknown", None, None)


def test_a_receipt_before_the_record_stays(db: Connection) -> None:
    first = begun(db)
    receipt(db, first)
    assert recorded(db, first, SENT) == "sent"
    assert (message(db).status, message(db).slot) == ("delivered", None)
    assert db.execute(text("SELECT outcome FROM attempts")).scalar_one() == "delivered"


@pytest.mark.parametrize("result", [AGAIN, InDoubt("no_answer", "broken")], ids=["not sent", "in doubt"])
def test_a_receipt_knows_better_than_a_worse_record(db: Connection, result: SendResult) -> None:
    first = begun(db)
    receipt(db, first)
    recorded(db, first, result)
    assert message(db).status == "delivered"
    assert db.execute(text("SELECT outcome FROM attempts")).scalar_one() == "delivered"


def test_a_proof_that_a_receipt_brought_stays_when_recovery_learns_nothing(db: Connection) -> None:
    first = begun(db)
    receipt(db, first, "failed")
    assert recover.settle(db, overdue(db), None, max_attempts=3, rng=random.Random(1)) == "unknown"
    assert db.execute(text("SELECT outcome FROM attempts")).scalar_one() == "not_sent"
    assert db.execute(text("SELECT error_code FROM messages")).scalar_one() == "not_sent_after_all"


def test_a_worker_that_wakes_after_recovery_and_is_refused_leaves_no_doubt(db: Connection) -> None:
    first = begun(db)
    assert recover.settle(db, overdue(db), None, max_attempts=3, rng=random.Random(1)) == "unknown"
    assert recorded(db, first, NotSent("key_closed", "closed", "closed", retryable=True)) == "late"
    assert db.execute(text("SELECT status, error_code FROM messages")).one() == ("unknown", "not_sent_after_all")


@pytest.mark.parametrize("result", [SENT, NotSent("internal", "failed", "answer", retryable=True), InDoubt("x", "y")])
def test_a_result_of_a_message_that_was_deleted_with_its_phone_is_late(db: Connection, result: SendResult) -> None:
    first = begun(db)
    for table in ("messages", "campaign_devices", "devices"):
        db.execute(text(f"DELETE FROM {table}"))
    assert recorded(db, first, result) in ("late", "in doubt")


def test_a_receipt_before_a_late_record_stays(db: Connection) -> None:
    first = begun(db)
    receipt(db, first)
    db.execute(text("UPDATE messages SET lease_until = clock_timestamp()"))
    assert recover.free_slots(db) == 1
    assert recorded(db, first, SENT) == "late"
    assert message(db).status == "delivered"


def test_a_receipt_before_recovery_stays(db: Connection) -> None:
    first = begun(db)
    doubt = overdue(db)
    receipt(db, first)
    assert recover.settle(db, doubt, None, max_attempts=3, rng=random.Random(1)) is None
    assert message(db).status == "delivered"


def test_recovery_settles_the_attempt_that_it_asked_about_and_no_other(db: Connection) -> None:
    _, doubt = second_attempt(db)
    overdue(db)
    assert recover.settle(db, doubt, None, max_attempts=3, rng=random.Random(1)) is None
    assert message(db).status == "processing"


def test_recovery_asks_about_the_attempt_that_is_overdue(db: Connection) -> None:
    second_attempt(db)
    assert overdue(db).key == f"{message(db).id}.2"


def test_nothing_is_overdue_before_its_lease_is_over(db: Connection) -> None:
    begun(db)
    assert recover.overdue(db, LEASE_S) == []


def test_what_a_bridge_that_is_away_holds_waits_for_it_and_not_for_ever(db: Connection) -> None:
    begun(db)
    overdue(db)
    db.execute(text("UPDATE bridges SET away_since = clock_timestamp()"))
    assert recover.overdue(db, LEASE_S) == []
    db.execute(text("UPDATE messages SET lease_until = clock_timestamp() - interval '1 day'"))
    assert [doubt.given_up(away=True) for doubt in recover.overdue(db, LEASE_S)] == [True]


def test_a_slot_stays_taken_while_its_worker_may_be_sending(db: Connection) -> None:
    first = begun(db)
    receipt(db, first)
    assert recover.free_slots(db) == 0
    db.execute(text("UPDATE messages SET lease_until = clock_timestamp()"))
    assert recover.free_slots(db) == 1


def test_a_slot_of_which_nobody_knows_anything_is_not_freed_unasked(db: Connection) -> None:
    begun(db)
    overdue(db)
    assert recover.free_slots(db) == 0


def test_what_was_not_sent_does_not_wait_in_a_campaign_that_is_being_cancelled(engine: Engine) -> None:
    with engine.begin() as db:
        first = begun(db)
        campaign_id = db.execute(text("SELECT id FROM campaigns")).scalar_one()
    cancelled = during(
        engine, lambda db: control.cancel(db, campaign_id, who="dana"), lambda db: recorded(db, first, AGAIN)
    )
    assert cancelled == ("cancelled", True)


def test_what_was_not_sent_does_not_wait_for_a_person_on_the_never_send_list(db: Connection) -> None:
    first = begun(db)
    suppress(db, message(db).workspace_id, first.phone, reason="opt_out", proof="wrote STOP")
    assert recorded(db, first, AGAIN) == "suppressed"


def test_a_message_with_an_older_doubt_ends_in_doubt(db: Connection) -> None:
    (device_id,) = add_devices(db, 1)
    campaign_id = place_campaign(db)
    use_devices(db, campaign_id, device_id)
    place_message(db, campaign_id, device_id=device_id, attempts=["unknown"])
    hopeless = NotSent("not_on_whatsapp", "no", "answer", retryable=False)
    assert recorded(db, begun_again(db, device_id), hopeless) == "unknown"


def test_what_is_being_begun_does_not_move_to_another_phone(engine: Engine) -> None:
    with engine.begin() as db:
        here, there = add_devices(db, 2)
        campaign_id = place_campaign(db)
        use_devices(db, campaign_id, here, there)
        message_id = place_message(db, campaign_id, device_id=here)
        able = [device for device in devices.of_campaign(db, campaign_id) if device.id == there]
    during(engine, lambda db: begin_next(db, here), lambda db: distribute.move(db, [message_id], able))
    with engine.begin() as db:
        assert (message(db).status, message(db).device_id) == ("processing", here)


class Asked:
    """The one bridge of a directory of bridges: says the same of every key, and remembers which were closed."""

    def __init__(self, answer: KeyState | Exception) -> None:
        self.answer = answer
        self.closed: list[str] = []

    def at(self, _address: str) -> Self:
        return self

    def close(self, _session: str, key: str) -> Closed:
        if isinstance(self.answer, Exception):
            raise self.answer
        self.closed.append(key)
        return Closed(self.answer, "an id", None, ledger_age_s=3600)


@pytest.fixture
def recover_messages(
    engine: Engine, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Asked], None]]:
    """Recovery's round, with this bridge."""
    brokers.make(redis_url)
    from actors import upkeep  # noqa: PLC0415 - its actors are declared on the broker that stands by then

    client = redis.Redis.from_url(redis_url)

    def recover_messages(bridge: Asked) -> None:
        world = SimpleNamespace(engine=engine, redis=client, bridges=bridge, settings=Settings(), rng=random.Random(1))
        monkeypatch.setattr(upkeep, "runtime", lambda: world)
        upkeep.recover_messages.fn()

    yield recover_messages
    client.close()


def test_a_lost_workers_message_waits_for_what_the_bridge_says(
    engine: Engine, recover_messages: Callable[[Asked], None]
) -> None:
    with engine.begin() as db:
        first = begun(db)
        overdue(db)
    bridge = Asked(KeyState.SENT)
    recover_messages(bridge)
    with engine.begin() as db:
        assert (message(db).status, bridge.closed) == ("sent", [first.key])


@pytest.mark.parametrize(("bridge", "patience_s"), [(AWAY, 900), (REFUSES, 60)])
def test_a_lost_workers_message_waits_for_a_bridge_that_says_nothing(
    engine: Engine, recover_messages: Callable[[Asked], None], bridge: Exception, patience_s: float
) -> None:
    """One that is away, or answers the question with an error: and not for ever."""
    with engine.begin() as db:
        begun(db)
    for ago_s, status in ((patience_s - 5, "processing"), (patience_s + 5, "unknown")):
        with engine.begin() as db:
            db.execute(
                text("UPDATE messages SET lease_until = clock_timestamp() - make_interval(secs => :ago_s)"),
                {"ago_s": ago_s},
            )
        recover_messages(Asked(bridge))
        with engine.begin() as db:
            assert message(db).status == status


def test_the_slot_of_a_lost_worker_whose_message_arrived_is_freed(
    engine: Engine, recover_messages: Callable[[Asked], None]
) -> None:
    with engine.begin() as db:
        first = begun(db)
        overdue(db)
        receipt(db, first)
    recover_messages(Asked(AWAY))
    with engine.begin() as db:
        assert (message(db).status, message(db).slot) == ("delivered", None)
