"""Raw SQL cannot break the machine of states: every pair is tried against the database (design: states)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest
from people import add_devices
from placing import add_audit, place_campaign, place_message
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from domain.status import (
    CAMPAIGN_MOVES,
    MESSAGE_MOVES,
    CampaignStatus,
    MessageStatus,
    Outcome,
    merge,
)

MESSAGE_TIMES = {
    "sent": {"sent_at"},
    "delivered": {"sent_at", "delivered_at"},
    "read": {"sent_at", "delivered_at", "read_at"},
    "unknown": {"unknown_at"},
    "failed": {"failed_at"},
    "cancelled": {"cancelled_at"},
    "suppressed": {"suppressed_at"},
}


def refused(db: Connection, statement: str, **values: Any) -> str | None:
    """What the database says against a statement, or None when it was done. Nothing stays of it either way."""
    step = db.begin_nested()
    try:
        done = db.execute(text(statement), values).rowcount
    except IntegrityError as error:
        return str(error.orig)
    else:
        assert done == 1, "the statement touched no row, so it proves nothing"
        return None
    finally:
        step.rollback()


def pairs(moves: Mapping[Any, frozenset[Any]]) -> set[tuple[str, str]]:
    return {(str(origin), str(to)) for origin, targets in moves.items() for to in targets}


def test_a_campaign_makes_the_moves_of_the_table_and_no_other(db: Connection) -> None:
    audit_id = add_audit(db)
    allowed = set()
    for origin, to in product(CampaignStatus, repeat=2):
        campaign_id = place_campaign(db, origin)
        against = refused(
            db,
            "UPDATE campaigns SET status = :to, reopened_by = :audit_id,"
            " pause_reason = CASE WHEN :to = 'paused' THEN 'operator' END,"
            " error_code = CASE WHEN :to = 'failed' THEN 'none_sent' END WHERE id = :id",
            id=campaign_id,
            to=str(to),
            audit_id=audit_id,
        )
        if origin is to:
            assert against is None
        elif against is None:
            allowed.add((str(origin), str(to)))
        else:
            assert f"cannot go from {origin} to {to}" in against
    assert allowed == pairs(CAMPAIGN_MOVES)


def test_a_message_makes_the_moves_of_the_table_and_no_other(db: Connection) -> None:
    audit_id = add_audit(db)
    campaign_id = place_campaign(db)
    allowed = set()
    for (origin, to), device_id in zip(product(MessageStatus, repeat=2), add_devices(db, 81), strict=True):
        message_id = place_message(db, campaign_id, origin, device_id=device_id, attempts=["not_sent"])
        against = refused(
            db,
            "UPDATE messages SET status = :to, attempt = attempt + CASE WHEN :to = 'processing' THEN 1 ELSE 0 END,"
            " slot = 0, processing_worker_id = 'a worker', processing_started_at = clock_timestamp(),"
            " lease_until = clock_timestamp(), requeued_by = :audit_id, error_code = 'provider_error' WHERE id = :id",
            id=message_id,
            to=str(to),
            audit_id=audit_id,
        )
        if origin is to:
            assert against is None
        elif against is None:
            allowed.add((str(origin), str(to)))
        else:
            assert f"cannot go from {origin} to {to}" in against
    assert allowed == pairs(MESSAGE_MOVES)


@pytest.mark.parametrize("status", [s for s in CampaignStatus if s not in ("draft", "scheduled", "accepted")])
def test_a_new_campaign_cannot_begin_further_on(db: Connection, status: str) -> None:
    insert = (
        "INSERT INTO campaigns (workspace_id, title, message, status, pause_reason, error_code, job_id)"
        " VALUES (:workspace_id, 'A', 'Hello', :status, CASE WHEN :status = 'paused' THEN 'operator' END,"
        " CASE WHEN :status = 'failed' THEN 'none_sent' END, gen_random_uuid())"
    )
    workspace_id = db.execute(
        text("INSERT INTO workspaces (name, default_country, time_zone) VALUES ('W', 'IL', 'UTC') RETURNING id")
    ).scalar_one()
    assert "a campaign begins as" in (refused(db, insert, workspace_id=workspace_id, status=status) or "")
    assert refused(db, insert, workspace_id=workspace_id, status="accepted") is None


@pytest.mark.parametrize("status", [s for s in MessageStatus if s not in ("queued", "suppressed")])
def test_a_new_message_cannot_begin_further_on(db: Connection, device: int, status: str) -> None:
    insert = (
        "INSERT INTO messages (workspace_id, device_id, origin, phone, status, attempt, slot, processing_worker_id,"
        " processing_started_at, lease_until, error_code) SELECT workspace_id, id, 'single', '+972501234567', :status,"
        " :attempt, 0, 'a worker', clock_timestamp(), clock_timestamp(), 'provider_error' FROM devices"
    )
    assert "a message begins as" in (refused(db, insert, status=status, attempt=0) or "")
    assert "without attempts" in (refused(db, insert, status="queued", attempt=1) or "")
    assert refused(db, insert, status="queued", attempt=0) is None


@pytest.mark.parametrize("outcome", [o for o in Outcome if o is not Outcome.NOT_SENT])
@pytest.mark.parametrize("to", ["queued", "cancelled", "suppressed", "failed"])
def test_processing_goes_down_only_with_proof(db: Connection, device: int, outcome: str, to: str) -> None:
    unproven = place_message(db, place_campaign(db), "processing", device_id=device, attempts=["not_sent", outcome])
    move = "UPDATE messages SET status = :to, slot = NULL, error_code = 'provider_error' WHERE id = :id"
    assert "only with proof" in (refused(db, move, id=unproven, to=to) or "")
    db.execute(
        text("UPDATE messages SET slot = NULL, status = 'unknown', error_code = 'x' WHERE id = :id"), {"id": unproven}
    )
    proven = place_message(db, place_campaign(db), "processing", device_id=device, attempts=["not_sent", "not_sent"])
    assert refused(db, move, id=proven, to=to) is None


def test_an_attempt_that_is_not_written_down_proves_nothing(db: Connection, device: int) -> None:
    held = place_message(db, place_campaign(db), "processing", device_id=device, attempt=1)
    assert "only with proof" in (
        refused(db, "UPDATE messages SET status = 'queued', slot = NULL WHERE id = :id", id=held) or ""
    )


@pytest.mark.parametrize("outcomes", [["unknown"], ["begun", "not_sent"], ["sent", "not_sent"]])
def test_failed_is_queued_again_only_when_every_attempt_is_proven(
    db: Connection, device: int, outcomes: list[str]
) -> None:
    move = "UPDATE messages SET status = 'queued' WHERE id = :id"
    unproven = place_message(db, place_campaign(db), "failed", device_id=device, attempts=outcomes)
    assert "only with proof" in (refused(db, move, id=unproven) or "")
    proven = place_message(db, place_campaign(db), "failed", device_id=device, attempts=["not_sent"] * len(outcomes))
    assert refused(db, move, id=proven) is None


def test_a_waiting_message_fails_only_when_every_attempt_is_proven(db: Connection, device: int) -> None:
    move = "UPDATE messages SET status = 'failed', error_code = 'expired' WHERE id = :id"
    doubted = place_message(db, place_campaign(db), device_id=device, attempts=["unknown"])
    assert "only with proof" in (refused(db, move, id=doubted) or "")
    assert refused(db, move, id=place_message(db, place_campaign(db), device_id=device)) is None


def test_unknown_is_queued_again_only_by_a_new_audited_decision(db: Connection, device: int) -> None:
    first, second = add_audit(db), add_audit(db)
    move = "UPDATE messages SET status = 'queued', requeued_by = :audit_id WHERE id = :id"
    doubted = place_message(
        db, place_campaign(db), "unknown", device_id=device, attempts=["unknown"], requeued_by=first
    )
    assert "audited decision" in (refused(db, move, id=doubted, audit_id=first) or "")
    assert "messages_requeued_by_fkey" in (refused(db, move, id=doubted, audit_id=second + 1000) or "")
    assert refused(db, move, id=doubted, audit_id=second) is None
    never = place_message(db, place_campaign(db), "unknown", device_id=device, attempts=["unknown"])
    assert "audited decision" in (refused(db, move, id=never, audit_id=None) or "")


@pytest.mark.parametrize("status", ["failed", "partial"])
def test_a_campaign_is_reopened_only_by_a_new_audited_decision(db: Connection, status: str) -> None:
    first, second = add_audit(db), add_audit(db)
    move = "UPDATE campaigns SET status = 'running', reopened_by = :audit_id WHERE id = :id"
    ended = place_campaign(db, status, reopened_by=first)
    assert "audited retry" in (refused(db, move, id=ended, audit_id=first) or "")
    assert refused(db, move, id=ended, audit_id=second) is None
    assert "audited retry" in (refused(db, move, id=place_campaign(db, status), audit_id=None) or "")


@pytest.mark.parametrize("to", ["sent", "delivered", "read", "unknown"])
def test_what_was_never_attempted_reached_nobody(db: Connection, device: int, to: str) -> None:
    move = "UPDATE messages SET status = :to, error_code = 'provider_error' WHERE id = :id"
    fresh = place_message(db, place_campaign(db), device_id=device)
    assert "never attempted" in (refused(db, move, id=fresh, to=to) or "")


@pytest.mark.parametrize("step", [0, 2])
def test_begin_counts_attempts_one_by_one(db: Connection, device: int, step: int) -> None:
    move = (
        "UPDATE messages SET status = 'processing', attempt = attempt + :step, slot = 0, processing_worker_id = 'w',"
        " processing_started_at = clock_timestamp(), lease_until = clock_timestamp() WHERE id = :id"
    )
    waiting = place_message(db, place_campaign(db), device_id=device)
    assert "begins attempt 1" in (refused(db, move, id=waiting, step=step) or "")
    assert refused(db, move, id=waiting, step=1) is None


@pytest.mark.parametrize(
    "missing", ["slot", "lease_until", "device_id", "processing_worker_id", "processing_started_at"]
)
def test_processing_is_always_held_by_somebody(db: Connection, device: int, missing: str) -> None:
    held = place_message(db, place_campaign(db), "processing", device_id=device, attempts=["begun"])
    against = refused(db, f"UPDATE messages SET {missing} = NULL WHERE id = :id", id=held)
    assert "messages_processing_is_held" in (against or "") or "changes device" in (against or "")


def test_a_message_changes_device_only_while_queued_and_proven(db: Connection) -> None:
    here, there = add_devices(db, 2)
    campaign_id = place_campaign(db)
    move = "UPDATE messages SET device_id = :there WHERE id = :id"
    for status in MessageStatus:
        message_id = place_message(db, campaign_id, status, device_id=here, attempts=["not_sent"])
        against = refused(db, move, id=message_id, there=there)
        assert (against is None) == (status is MessageStatus.QUEUED), status
    for outcome in Outcome:
        message_id = place_message(db, campaign_id, device_id=here, attempts=["not_sent", outcome])
        against = refused(db, move, id=message_id, there=there)
        assert (against is None) == (outcome is Outcome.NOT_SENT), outcome


def test_a_message_cannot_leave_its_device_on_its_way_out_of_queued(db: Connection) -> None:
    here, there = add_devices(db, 2)
    waiting = place_message(db, place_campaign(db), device_id=here)
    move = "UPDATE messages SET device_id = :there, status = 'cancelled' WHERE id = :id"
    assert "only while queued" in (refused(db, move, id=waiting, there=there) or "")


def test_the_outcome_of_an_attempt_never_falls(db: Connection, device: int) -> None:
    campaign_id = place_campaign(db)
    for known, fact in product(Outcome, repeat=2):
        message_id = place_message(db, campaign_id, "failed", device_id=device, attempts=[known])
        against = refused(
            db,
            "UPDATE attempts SET outcome = :fact, proof = 'answer' WHERE message_id = :id",
            id=message_id,
            fact=str(fact),
        )
        assert (against is None) == (merge(known, fact) is fact), (known, fact)


def test_not_sent_needs_its_proof(db: Connection, device: int) -> None:
    message_id = place_message(db, place_campaign(db), "failed", device_id=device, attempts=["begun"])
    prove = "UPDATE attempts SET outcome = 'not_sent', proof = :proof WHERE message_id = :id"
    assert "attempts_not_sent_is_proven" in (refused(db, prove, id=message_id, proof=None) or "")
    assert "attempts_proof" in (refused(db, prove, id=message_id, proof="a feeling") or "")
    assert refused(db, prove, id=message_id, proof="closed") is None


def test_one_slot_of_a_device_holds_one_send(db: Connection) -> None:
    here, there = add_devices(db, 2)
    campaign_id = place_campaign(db)
    place_message(db, campaign_id, "processing", device_id=here, attempts=["begun"])
    hold = "UPDATE messages SET slot = :slot WHERE id = :id"
    second = place_message(db, campaign_id, device_id=here)
    assert "messages_slot_key" in (refused(db, hold, id=second, slot=0) or "")
    assert refused(db, hold, id=second, slot=1) is None
    assert refused(db, hold, id=place_message(db, campaign_id, device_id=there), slot=0) is None


def test_a_campaign_has_a_person_once(db: Connection) -> None:
    campaign_id, other = place_campaign(db), place_campaign(db)
    place_message(db, campaign_id, phone="+972501234567")
    again = (
        "INSERT INTO messages (workspace_id, campaign_id, origin, phone)"
        " SELECT workspace_id, id, 'campaign', '+972501234567' FROM campaigns WHERE id = :id"
    )
    assert "messages_person_key" in (refused(db, again, id=campaign_id) or "")
    assert refused(db, again, id=other) is None


@pytest.mark.parametrize("to", ["cancelled", "failed"])
def test_a_campaign_that_ends_early_ends_its_waiting_messages_in_the_same_statement(
    db: Connection, device: int, to: str
) -> None:
    campaign_id = place_campaign(db)
    place_message(db, campaign_id, device_id=device, phone="+972501111111")
    place_message(db, campaign_id, device_id=device, phone="+972502222222", attempts=["not_sent"])
    place_message(db, campaign_id, device_id=device, phone="+972503333333", attempts=["unknown"])
    place_message(db, campaign_id, "processing", device_id=device, phone="+972504444444", attempts=["begun"])
    place_message(db, campaign_id, "sent", device_id=device, phone="+972505555555", attempts=["sent"])
    elsewhere = place_message(db, place_campaign(db), device_id=device)
    db.execute(
        text("UPDATE campaigns SET status = :to, error_code = 'no_device' WHERE id = :id"),
        {"id": campaign_id, "to": to},
    )
    ended = db.execute(
        text("SELECT status, error_code FROM messages WHERE campaign_id = :id ORDER BY phone"), {"id": campaign_id}
    ).all()
    doubted = ("unknown", "outcome_unknown" if to == "cancelled" else "no_device")
    waited = ("cancelled", "cancelled") if to == "cancelled" else ("failed", "no_device")
    assert [tuple(row) for row in ended] == [waited, waited, doubted, ("processing", None), ("sent", None)]
    assert db.execute(text("SELECT status FROM messages WHERE id = :id"), {"id": elsewhere}).scalar_one() == "queued"


@pytest.mark.parametrize("to", ["cancelled", "suppressed"])
def test_what_may_have_gone_out_does_not_end_as_not_sent_to(db: Connection, device: int, to: str) -> None:
    """Somebody had it queued again although it may have arrived, and it ends before it begins anew."""
    doubted = place_message(db, place_campaign(db), device_id=device, attempts=["unknown", "not_sent"])
    db.execute(text("UPDATE messages SET status = :to WHERE id = :id"), {"id": doubted, "to": to})
    ended = db.execute(text("SELECT status, error_code, cancelled_at FROM messages WHERE id = :id"), {"id": doubted})
    assert tuple(ended.one()) == ("unknown", "outcome_unknown", None)


def test_every_state_of_a_message_bears_its_time(db: Connection, device: int) -> None:
    times = sorted(set().union(*MESSAGE_TIMES.values()))
    campaign_id = place_campaign(db)
    for to, expected in MESSAGE_TIMES.items():
        message_id = place_message(db, campaign_id, device_id=device, attempts=["not_sent"])
        row = (
            db.execute(
                text(f"UPDATE messages SET status = :to, error_code = 'x' WHERE id = :id RETURNING {', '.join(times)}"),
                {"id": message_id, "to": to},
            )
            .mappings()
            .one()
        )
        assert {name for name, at in row.items() if at is not None} == expected


def test_a_state_that_is_left_takes_its_bad_news_with_it(db: Connection, device: int) -> None:
    campaign_id = place_campaign(db, "running")
    message_id = place_message(db, campaign_id, device_id=device)
    db.execute(
        text("UPDATE messages SET status = 'failed', error_code = 'expired', error_reason = 'late' WHERE id = :id"),
        {"id": message_id},
    )
    row = db.execute(
        text(
            "UPDATE messages SET status = 'sent' WHERE id = :id RETURNING failed_at, error_code, error_reason, sent_at"
        ),
        {"id": message_id},
    ).one()
    assert row[:3] == (None, None, None)
    assert row.sent_at is not None
    campaign = db.execute(
        text("UPDATE campaigns SET status = 'failed', error_code = 'none_sent' WHERE id = :id RETURNING finished_at"),
        {"id": campaign_id},
    ).one()
    assert campaign.finished_at is not None
    completed = db.execute(
        text("UPDATE campaigns SET status = 'completed' WHERE id = :id RETURNING finished_at, error_code"),
        {"id": campaign_id},
    ).one()
    assert tuple(completed) == (campaign.finished_at, None)


def test_a_campaign_bears_its_times(db: Connection) -> None:
    campaign_id = place_campaign(db, "accepted")
    move = text(
        "UPDATE campaigns SET status = :to, reopened_by = :audit_id WHERE id = :id RETURNING queued_at, finished_at"
    )
    nobody = {"id": campaign_id, "audit_id": None}
    queued = db.execute(move, {**nobody, "to": "queued"}).one()
    assert queued.queued_at is not None
    assert queued.finished_at is None
    db.execute(move, {**nobody, "to": "running"})
    assert db.execute(move, {**nobody, "to": "partial"}).one().finished_at is not None
    reopened = db.execute(move, {"id": campaign_id, "to": "running", "audit_id": add_audit(db)}).one()
    assert tuple(reopened) == (queued.queued_at, None)


def test_a_campaign_is_active_on_its_devices_exactly_while_it_sends(db: Connection, device: int) -> None:
    campaign_id = place_campaign(db, "accepted")
    db.execute(
        text("INSERT INTO campaign_devices (campaign_id, device_id) VALUES (:id, :device_id)"),
        {"id": campaign_id, "device_id": device},
    )
    seen = []
    for to in ("queued", "running", "paused", "running", "partial", "completed"):
        db.execute(
            text(
                "UPDATE campaigns SET status = :to,"
                " pause_reason = CASE WHEN :to = 'paused' THEN 'operator' END WHERE id = :id"
            ),
            {"id": campaign_id, "to": to},
        )
        seen.append(db.execute(text("SELECT active FROM campaign_devices")).scalar_one())
    assert seen == [True, True, False, True, False, False]
