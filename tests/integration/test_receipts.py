"""Receipts over real rows: any order, any repetition, before or after the record, of any attempt (R30)."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import count, pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from people import add_devices
from placing import place_campaign, place_message
from sqlalchemy import Connection, Engine, Row, text

from bridge.protocol import InDoubt, NotSent, SendResult, Sent
from domain.status import MessageStatus, Outcome, merge, raised
from services import control, deliver, health, receipts
from services.deliver import Begun
from services.receipts import Incoming

FACTS = {"sent": Outcome.SENT, "delivered": Outcome.DELIVERED, "read": Outcome.READ, "failed": Outcome.NOT_SENT}
START = datetime(2026, 11, 1, 12, tzinfo=UTC)
_numbers = count(1)


def receipt(key: str | None, status: str, at: datetime = START, **data: Any) -> Incoming:
    return Incoming(f"event-{next(_numbers)}", "device1", "receipt", at, {"key": key, "status": status, **data})


def deliver_events(db: Connection, *events: Incoming) -> None:
    receipts.store(db, events)
    receipts.apply(db)


def message(db: Connection, message_id: int) -> Row[Any]:
    return db.execute(text("SELECT * FROM messages WHERE id = :id"), {"id": message_id}).one()


def outcomes(db: Connection, message_id: int) -> list[str]:
    return list(
        db.execute(
            text("SELECT outcome FROM attempts WHERE message_id = :id ORDER BY number"), {"id": message_id}
        ).scalars()
    )


@dataclass(frozen=True)
class Record:
    """What a worker records, the state that it alone leads to, and the fact that it is about the attempt."""

    result: SendResult
    status: MessageStatus
    fact: Outcome


RECORDS = [
    Record(Sent("provider-1", 0.1), MessageStatus.SENT, Outcome.SENT),
    Record(NotSent("not_on_whatsapp", "no", "answer", retryable=False), MessageStatus.FAILED, Outcome.NOT_SENT),
    Record(NotSent("internal", "no", "answer", retryable=True), MessageStatus.QUEUED, Outcome.NOT_SENT),
    Record(InDoubt("send_timeout", "?"), MessageStatus.PROCESSING, Outcome.UNKNOWN),
]


@dataclass(frozen=True)
class Story:
    """Receipts (attempt 1 or 2, status) in batches, with repetitions, and the record of attempt 2 between two batches."""

    batches: list[list[tuple[int, str]]]
    record: Record
    record_after: int

    @property
    def told(self) -> list[tuple[int, str]]:
        return [told for batch in self.batches for told in batch]


@st.composite
def stories(draw: st.DrawFn) -> tuple[Story, Story]:
    """The same facts told twice, differently arranged."""
    told = draw(st.lists(st.tuples(st.integers(1, 2), st.sampled_from(sorted(FACTS))), max_size=6))
    record = draw(st.sampled_from(RECORDS))

    def one() -> Story:
        repeats = draw(st.lists(st.sampled_from(told), max_size=4)) if told else []
        order = draw(st.permutations(told + repeats))
        cuts = sorted(draw(st.lists(st.integers(0, len(order)), max_size=3)))
        edges = [0, *cuts, len(order)]
        batches = [order[a:b] for a, b in pairwise(edges)]
        return Story(batches, record, draw(st.integers(0, len(batches))))

    return one(), one()


def play(engine: Engine, story: Story) -> tuple[MessageStatus, list[Outcome], tuple[datetime | None, ...]]:
    """Let it happen to a message that is processing its second attempt; nothing of it stays."""
    with engine.connect() as db, db.begin() as transaction:
        (device,) = add_devices(db, 1)
        id = place_message(db, place_campaign(db), "processing", device_id=device, attempts=["not_sent", "begun"])
        begun = Begun(
            message_id=id,
            attempt=2,
            campaign_id=None,
            device_id=device,
            session="device1",
            bridge_address="default",
            phone="+972501234567",
            name=None,
            variables={},
            text="Hello",
            gap_s=0.0,
            due_at=START,
            begun_at=START,
            next_send_at=START,
            template=None,
            pair_gap_s=None,
            in_flight_limit=1,
        )
        certainty = [MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.READ]
        before = -1
        for number, batch in enumerate([*story.batches, []]):
            if number == story.record_after:
                deliver.record(db, begun, story.record.result, max_attempts=3, rng=random.Random(1))
            deliver_events(
                db, *(receipt(f"{id}.{n}", s, START + timedelta(hours=list(FACTS).index(s))) for n, s in batch)
            )
            status = MessageStatus(message(db, id).status)
            rank = certainty.index(status) if status in certainty else -1
            assert rank >= before, "a receipt may only raise"
            before = rank
        row = message(db, id)
        times = (row.delivered_at, row.read_at)
        found = MessageStatus(row.status), [Outcome(outcome) for outcome in outcomes(db, id)], times
        transaction.rollback()
    return found


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stories())
def test_the_end_depends_on_the_facts_alone(engine: Engine, both: tuple[Story, Story]) -> None:
    story, told_again = both
    record, facts = story.record, [FACTS[status] for _, status in story.told]
    attempts = [
        reduce(merge, [FACTS[status] for number, status in story.told if number == 1], Outcome.NOT_SENT),
        reduce(merge, [FACTS[status] for number, status in story.told if number == 2], record.fact),
    ]
    status, known, times = play(engine, story)
    assert status is reduce(raised, facts, record.status)
    assert known == attempts
    assert play(engine, told_again) == (status, known, times)


@pytest.mark.parametrize(
    "order", [("sent", "delivered", "read"), ("read", "delivered", "sent"), ("delivered", "read", "sent")]
)
def test_the_times_are_those_of_the_receipts_in_whatever_order(
    db: Connection, device: int, order: tuple[str, ...]
) -> None:
    at = {"sent": START, "delivered": START + timedelta(seconds=5), "read": START + timedelta(minutes=5)}
    id = place_message(db, place_campaign(db), "processing", device_id=device, attempts=["begun"])
    for status in order:
        deliver_events(db, receipt(f"{id}.1", status, at[status]))
    row = message(db, id)
    assert row.status == "read"
    assert {"sent": row.sent_at, "delivered": row.delivered_at, "read": row.read_at} == at


def test_a_person_who_has_read_it_was_sent_it_no_later(db: Connection, device: int) -> None:
    id = place_message(db, place_campaign(db), "processing", device_id=device, attempts=["begun"])
    deliver_events(db, receipt(f"{id}.1", "read", START))
    row = message(db, id)
    assert (row.sent_at, row.delivered_at, row.read_at) == (START, START, START)


def test_a_receipt_from_the_future_counts_from_when_it_came(db: Connection, device: int) -> None:
    id = place_message(db, place_campaign(db), "processing", device_id=device, attempts=["begun"])
    deliver_events(db, receipt(f"{id}.1", "sent", START + timedelta(days=3650)))
    assert db.execute(text("SELECT sent_at <= clock_timestamp() FROM messages WHERE id = :id"), {"id": id}).scalar_one()


@pytest.mark.parametrize("status", ["cancelled", "suppressed"])
def test_only_a_person_who_certainly_has_it_beats_cancelled(db: Connection, device: int, status: str) -> None:
    id = place_message(db, place_campaign(db), status, device_id=device, attempts=["not_sent"])
    deliver_events(db, receipt(f"{id}.1", "sent"))
    assert (message(db, id).status, message(db, id).sent_at) == (status, None)
    deliver_events(db, receipt(f"{id}.1", "delivered"))
    assert message(db, id).status == "delivered"


def test_a_late_failed_of_an_earlier_attempt_changes_nothing(db: Connection, device: int) -> None:
    id = place_message(db, place_campaign(db), "processing", device_id=device, attempts=["not_sent", "begun"])
    deliver_events(db, receipt(f"{id}.1", "failed", error="131026"))
    assert message(db, id).status == "processing"
    assert outcomes(db, id) == ["not_sent", "begun"]


def test_a_receipt_raises_a_message_that_waits_for_its_next_attempt(db: Connection, device: int) -> None:
    id = place_message(db, place_campaign(db), "queued", device_id=device, attempts=["not_sent"])
    deliver_events(db, receipt(f"{id}.1", "delivered"))
    assert message(db, id).status == "delivered"


def test_an_ended_campaign_computes_its_end_anew(db: Connection, device: int) -> None:
    campaign_id = place_campaign(db, "failed")
    first = place_message(db, campaign_id, "unknown", device_id=device, attempts=["unknown"])
    second = place_message(db, campaign_id, "failed", device_id=device, attempts=["not_sent"])
    place_message(db, campaign_id, "suppressed", device_id=device)
    seen = []
    for id, status in [(first, "failed"), (first, "sent"), (second, "delivered"), (second, "failed")]:
        deliver_events(db, receipt(f"{id}.1", status))
        seen.append(db.execute(text("SELECT status FROM campaigns WHERE id = :id"), {"id": campaign_id}).scalar_one())
    assert seen == ["failed", "partial", "completed", "completed"]


def test_a_cancelled_campaign_stays_cancelled(db: Connection, device: int) -> None:
    campaign_id = place_campaign(db, "cancelled")
    id = place_message(db, campaign_id, "unknown", device_id=device, attempts=["unknown"])
    deliver_events(db, receipt(f"{id}.1", "delivered"))
    assert message(db, id).status == "delivered"
    assert (
        db.execute(text("SELECT status FROM campaigns WHERE id = :id"), {"id": campaign_id}).scalar_one() == "cancelled"
    )


def test_a_failed_receipt_does_not_lower_unknown_but_makes_it_safe_to_retry(db: Connection, device: int) -> None:
    campaign_id = place_campaign(db, "failed")
    id = place_message(db, campaign_id, "unknown", device_id=device, attempts=["unknown"])
    assert control.retry(db, campaign_id, who="dana") == 0
    deliver_events(db, receipt(f"{id}.1", "failed"))
    assert (message(db, id).status, message(db, id).error_code) == ("unknown", "not_sent_after_all")
    assert control.retry(db, campaign_id, who="dana") == 1
    assert message(db, id).status == "queued"


def test_a_receipt_without_a_key_is_found_by_the_providers_id(db: Connection, device: int) -> None:
    id = place_message(db, place_campaign(db), "sent", device_id=device, attempts=["sent"])
    db.execute(text("UPDATE attempts SET provider_message_id = 'wamid.1' WHERE message_id = :id"), {"id": id})
    deliver_events(db, receipt(None, "read", message_id="wamid.1"))
    assert message(db, id).status == "read"


def test_what_belongs_to_nobody_is_taken_and_changes_nothing(db: Connection, device: int) -> None:
    id = place_message(db, place_campaign(db), "sent", device_id=device, attempts=["sent"])
    strays = [
        receipt("999999.1", "read"),
        receipt(f"{id}.7", "failed"),
        receipt("not a key", "read"),
        receipt(f"{id}.1", "forwarded"),
        receipt(None, "read", message_id="unheard of"),
        Incoming("event-x", "device1", "receipt", START, {}),
        Incoming("event-y", "device1", "inbound", START, {"from": "972501234567", "text": "STOP"}),
    ]
    assert receipts.store(db, strays) == len(strays)
    assert receipts.apply(db) == len(strays)
    assert receipts.apply(db) == 0
    assert message(db, id).status == "sent"


def test_an_event_is_kept_once_and_applied_once(db: Connection, device: int) -> None:
    id = place_message(db, place_campaign(db), "sent", device_id=device, attempts=["sent"])
    event = receipt(f"{id}.1", "delivered")
    assert receipts.store(db, [event, event]) == 1
    assert receipts.store(db, [event]) == 0
    assert receipts.apply(db) == 1
    assert receipts.store(db, [event]) == 0
    assert receipts.apply(db) == 0


def test_a_change_of_connection_asks_for_a_look(db: Connection) -> None:
    add_devices(db, 2)
    db.execute(text("UPDATE bridges SET next_probe_at = 'infinity'"))
    deliver_events(db, Incoming("event-y", "a stranger", "connection", START, {"state": "close"}))
    assert health.due(db) == []
    deliver_events(db, Incoming("event-z", "device2", "connection", START, {"state": "close"}))
    assert health.due(db) == ["default"]
