"""What Meta has taken waits for its word: it went out, it did not, or nothing was told in time (R28, R30)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from random import Random
from typing import Any

import pytest
from cloud_numbers import BUSINESS, add_numbers
from people import add_devices, workspace
from placing import begin_next, place_campaign, place_message, use_devices
from sqlalchemy import Connection, Row, text

from bridge.protocol import Accepted, InDoubt
from services import aggregate, deliver, doubts, failure_groups, receipts, recover, refused_later, trouble
from services.deliver import Begun
from services.receipts import Incoming
from services.refused import Refused

PHONE = "+972501111111"
_numbers = count(1)


@pytest.fixture
def number(db: Connection) -> int:
    return add_numbers(db, 1, gap_s=0.0)[0]


def begun(db: Connection, number: int, phone: str | None = PHONE) -> Begun:
    """The one message of a campaign, begun."""
    campaign_id = place_campaign(db)
    use_devices(db, campaign_id, number)
    place_message(db, campaign_id, device_id=number, **({} if phone is None else {"phone": phone}))
    found = begin_next(db, number)
    assert found is not None
    return found


def taken(db: Connection, number: int) -> Begun:
    """The same, and Meta has taken it."""
    found = begun(db, number)
    assert record(db, found) == "accepted"
    return found


def record(db: Connection, begun: Begun) -> str:
    return deliver.record(db, begun, Accepted("wamid.1"), max_attempts=3, rng=Random(1)).status


def told(db: Connection, begun: Begun, status: str, code: str | None = None, wamid: str = "wamid.1") -> None:
    """An event of Meta's, and all that follows from it."""
    store(db, begun, status, code, wamid)
    receipts.apply(db)
    settle(db)


def store(db: Connection, begun: Begun, status: str, code: str | None = None, wamid: str = "wamid.1") -> None:
    """The same, not applied yet."""
    data = {
        "key": begun.key,
        "message_id": wamid,
        "status": status,
        "error": code,
        "reason": code and "their words",
    }
    receipts.store(db, [Incoming(f"cloud:{next(_numbers)}", begun.session, "receipt", datetime.now(UTC), data)])


def settle(db: Connection) -> None:
    for refused in refused_later.waiting(db):
        refused_later.settle(db, refused, max_attempts=3, rng=Random(1))


def message(db: Connection) -> Row[Any]:
    return db.execute(
        text(
            "SELECT m.*, extract(epoch FROM lease_until - clock_timestamp()) AS left_s,"
            " extract(epoch FROM m.due_at - clock_timestamp()) AS due_in_s, a.outcome, a.proof, a.provider_message_id"
            " FROM messages m JOIN attempts a ON a.message_id = m.id AND a.number = m.attempt ORDER BY m.id LIMIT 1"
        )
    ).one()


def device(db: Connection) -> Row[Any]:
    return db.execute(
        text("SELECT *, next_send_at > clock_timestamp() + interval '0.5 seconds' AS waits FROM devices")
    ).one()


def later(db: Connection) -> None:
    """A quarter of an hour has passed."""
    db.execute(text("UPDATE messages SET lease_until = lease_until - time_for_word()"))
    db.execute(text("UPDATE attempts SET begun_at = begun_at - time_for_word()"))


def test_it_holds_no_slot_and_is_not_called_sent(db: Connection, number: int) -> None:
    taken(db, number)
    row = message(db)
    assert (row.status, row.slot, row.outcome, row.provider_message_id) == ("processing", None, "begun", "wamid.1")
    assert 890 < row.left_s <= 900
    assert aggregate.aggregate(db, row.campaign_id) is None or message(db).status == "processing"


@pytest.mark.parametrize("status", ["sent", "delivered", "read"])
def test_it_went_out(db: Connection, number: int, status: str) -> None:
    told(db, taken(db, number), status)
    assert (message(db).status, message(db).lease_until) == (status, None)


def test_a_person_whom_it_cannot_reach_fails_with_the_reason(db: Connection, number: int) -> None:
    told(db, taken(db, number), "failed", "undeliverable")
    row = message(db)
    assert (row.status, row.error_code, row.error_reason) == ("failed", "undeliverable", "their words")
    assert (row.outcome, row.proof, row.attempts_used) == ("not_sent", "receipt", 1)
    assert device(db).strikes == 0


def test_delivered_beats_the_failure_before_it(db: Connection, number: int) -> None:
    found = taken(db, number)
    told(db, found, "failed", "undeliverable")
    told(db, found, "delivered")
    assert message(db).status == "delivered"


def test_a_fault_of_theirs_is_tried_again_and_uses_up_an_attempt(db: Connection, number: int) -> None:
    told(db, taken(db, number), "failed", "whatsapp_failed")
    row = message(db)
    assert (row.status, row.attempts_used, row.accepted_at is None) == ("queued", 1, False)
    assert row.due_in_s > 0.5


def test_too_fast_for_the_number_waits_and_uses_up_nothing(db: Connection, number: int) -> None:
    told(db, taken(db, number), "failed", "throttled")
    assert (message(db).status, message(db).attempts_used) == ("queued", 0)
    assert (device(db).waits, device(db).error_code, device(db).day_count) == (True, "throttled", 0)


def test_too_fast_for_the_person_holds_up_nobody_else(db: Connection, number: int) -> None:
    told(db, taken(db, number), "failed", "pair_limit")
    assert (message(db).status, message(db).attempts_used) == ("queued", 0)
    assert 5 < message(db).due_in_s <= 6
    assert device(db).waits is False


@pytest.mark.parametrize("code", ["restricted", "token_refused", "payment_missing"])
def test_an_error_of_the_number_stops_the_number_and_nobody_pays(db: Connection, number: int, code: str) -> None:
    told(db, taken(db, number), "failed", code)
    assert (message(db).status, message(db).attempts_used) == ("queued", 0)
    assert (device(db).can_send, device(db).error_code) == (False, code)


def test_who_wants_no_more_is_not_written_to_again(db: Connection, number: int) -> None:
    found = taken(db, number)
    other = place_message(db, None, device_id=number, phone=PHONE)
    told(db, found, "failed", "opted_out")
    assert (message(db).status, message(db).error_code) == ("failed", "opted_out")
    listed = db.execute(text("SELECT phone, reason, proof LIKE '%their words' FROM suppressions")).all()
    assert listed == [(PHONE, "opt_out", True)]
    ended = db.execute(text("SELECT status FROM messages WHERE id = :id"), {"id": other}).scalar_one()
    assert ended == "suppressed"


@pytest.mark.parametrize(("status", "code", "ends"), [("sent", None, "sent"), ("failed", "undeliverable", "failed")])
def test_their_word_may_be_quicker_than_our_record(
    db: Connection, number: int, status: str, code: str | None, ends: str
) -> None:
    found = begun(db, number)
    told(db, found, status, code)
    assert message(db).slot == 0
    record(db, found)
    settle(db)
    row = message(db)
    assert (row.status, row.slot, row.lease_until) == (ends, None, None)


def test_without_any_word_it_is_in_doubt_and_a_person_decides(db: Connection, number: int) -> None:
    found = taken(db, number)
    assert recover.end_unconfirmed(db) == 0
    later(db)
    assert recover.end_unconfirmed(db) == 1
    assert (message(db).status, message(db).error_code, message(db).outcome) == ("unknown", "not_confirmed", "unknown")
    asked = doubts.undecided(db, workspace(db), found.campaign_id or 0)
    assert asked is not None
    assert [row["id"] for row in asked] == [found.message_id]
    told(db, found, "delivered")
    assert message(db).status == "delivered"


def test_no_answer_is_in_doubt_at_once_and_nobody_is_asked_for_a_while(db: Connection, number: int) -> None:
    found = begun(db, number)
    doubt = InDoubt("no_answer", "broken", final=True)
    assert deliver.record(db, found, doubt, max_attempts=3, rng=Random(1)).status == "unknown"
    here, campaign_id = workspace(db), found.campaign_id or 0
    assert (message(db).slot, message(db).outcome) == (None, "unknown")
    assert doubts.undecided(db, here, campaign_id) == []
    report = failure_groups.report(db, here, campaign_id)
    assert report is not None
    assert [(group.code, group.undecided, group.awaited) for group in report.groups] == [("no_answer", 0, 1)]
    later(db)
    asked = doubts.undecided(db, here, campaign_id)
    assert asked is not None
    assert len(asked) == 1
    told(db, found, "sent")
    assert message(db).status == "sent"


def test_recorded_twice_is_recorded_once(db: Connection, number: int) -> None:
    found = taken(db, number)
    told(db, found, "failed", "whatsapp_failed")
    db.execute(text("UPDATE messages SET due_at = clock_timestamp()"))
    db.execute(text("UPDATE pairs SET next_at = clock_timestamp()"))
    again = begin_next(db, number)
    assert again is not None
    assert record(db, found) == "late"
    assert (message(db).attempt, message(db).slot, message(db).accepted_at) == (2, 0, None)


def test_what_another_number_tells_is_not_of_ours(db: Connection, number: int) -> None:
    """Somebody else sends from it, and counts their messages as we do."""
    found = taken(db, number)
    told(db, replace(found, session="another"), "delivered")
    assert message(db).status == "processing"
    told(db, replace(found, session=BUSINESS), "delivered")
    assert message(db).status == "delivered"


@pytest.mark.parametrize("order", [("sent", "failed"), ("failed", "sent")])
def test_a_failure_beside_sent_lowers_nothing_and_is_kept_at_its_attempt(
    db: Connection, number: int, order: tuple[str, str]
) -> None:
    found = taken(db, number)
    for status in order:
        told(db, found, status, "undeliverable" if status == "failed" else None)
    attempt = db.execute(text("SELECT outcome, proof, error_code, error_reason FROM attempts")).one()
    assert message(db).status == "sent"
    assert attempt == ("sent", "receipt", "undeliverable", "their words")


def test_what_is_told_of_another_message_with_the_same_key_is_not_of_ours(db: Connection, number: int) -> None:
    """Another installation sends from the same number, or this one did before it was set up anew."""
    found = taken(db, number)
    told(db, found, "failed", "whatsapp_failed", wamid="wamid.theirs")
    assert message(db).status == "processing"


def test_meta_tells_nothing_of_what_a_linked_phone_sends(db: Connection) -> None:
    (phone,) = add_devices(db, 1)
    place_message(db, None, device_id=phone, phone=PHONE)
    found = begin_next(db, phone)
    assert found is not None
    told(db, found, "delivered")
    assert message(db).status == "processing"


@pytest.mark.parametrize("first", ["sent", "unknown"])
def test_who_wants_no_more_is_heard_wherever_the_message_stands(db: Connection, number: int, first: str) -> None:
    found = taken(db, number)
    if first == "sent":
        told(db, found, "sent")
    else:
        later(db)
        recover.end_unconfirmed(db)
    told(db, found, "failed", "opted_out")
    assert db.execute(text("SELECT phone, reason FROM suppressions")).all() == [(PHONE, "opt_out")]
    assert message(db).status == first


def test_what_was_told_in_time_counts_also_when_it_is_applied_late(db: Connection, number: int) -> None:
    found = taken(db, number)
    store(db, found, "failed", "undeliverable")
    later(db)
    db.execute(text("UPDATE events SET received_at = received_at - 2 * time_for_word()"))
    assert recover.end_unconfirmed(db) == 0
    receipts.apply(db)
    assert recover.end_unconfirmed(db) == 0
    settle(db)
    assert (message(db).status, message(db).error_code) == ("failed", "undeliverable")


def test_a_doubt_that_ends_in_vain_is_not_called_safe_to_retry(db: Connection, number: int) -> None:
    found = taken(db, number)
    later(db)
    recover.end_unconfirmed(db)
    told(db, found, "failed", "undeliverable")
    assert (message(db).status, message(db).error_code) == ("unknown", "undeliverable")


def test_only_what_went_out_clears_the_strikes(db: Connection, number: int) -> None:
    db.execute(text("UPDATE devices SET strikes = 2"))
    found = taken(db, number)
    assert device(db).strikes == 2
    told(db, found, "sent")
    assert device(db).strikes == 0


def test_a_burst_of_refusals_is_one_strike(db: Connection, number: int) -> None:
    for _ in range(3):
        trouble.strike(db, number, "payment_missing", "their words")
    assert device(db).strikes == 1


def test_each_doubt_holds_the_number_longer(db: Connection, number: int) -> None:
    doubt = InDoubt("provider_error", "HTTP 503", final=True)
    held = []
    for _ in range(8):
        db.execute(text("UPDATE devices SET next_send_at = clock_timestamp()"))
        deliver.record(db, begun(db, number, phone=None), doubt, max_attempts=3, rng=Random(1))
        waits = db.execute(text("SELECT extract(epoch FROM next_send_at - clock_timestamp())::float FROM devices"))
        held.append(round(waits.scalar_one()))
    assert held == [1, 2, 4, 8, 16, 30, 30, 30]


def test_a_person_is_not_asked_to_decide_what_their_word_may_settle(db: Connection, number: int) -> None:
    found = begun(db, number)
    deliver.record(db, found, InDoubt("no_answer", "broken", final=True), max_attempts=3, rng=Random(1))
    with pytest.raises(Refused, match="may still tell"):
        doubts.send_again(db, workspace(db), found.message_id, who="dana")
    later(db)
    doubts.send_again(db, workspace(db), found.message_id, who="dana")
    assert message(db).status == "queued"
