"""Apply the bridges' events: receipts raise messages, connection changes ask for a look at the device, and what Meta tells
of accounts and people is written down.

Events are stored by ``store`` before the bridge is answered and applied in batches by ``apply``; both may be repeated.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from db.queries import query
from domain.status import RAISES_TO, Outcome, merge
from services import alerts, campaign_end, conversations, health, not_sent, suppress, told_attempts
from services.told_attempts import Attempt

BATCH = 500
_FACTS = {
    "sent": Outcome.SENT,
    "delivered": Outcome.DELIVERED,
    "read": Outcome.READ,
    "failed": Outcome.NOT_SENT,
}


@dataclass(frozen=True, slots=True)
class Incoming:
    """An event whose signature was good. ``data`` is as the contract gives it for its ``type``."""

    event_id: str
    session: str
    type: str
    at: datetime
    data: dict[str, Any]


@dataclass(slots=True)
class _Facts:
    """What a batch of receipts says about one attempt; it may only grow surer."""

    outcome: Outcome
    times: dict[Outcome, datetime]
    error: str | None = None
    reason: str | None = None


def store(db: Connection, events: Iterable[Incoming]) -> int:
    """Keep events that were not seen before; returns how many those were."""
    rows = sorted(events, key=lambda event: event.event_id)  # of two who store the same, one waits for the other
    stored = db.execute(
        text(
            "INSERT INTO events (event_id, session, type, at, data)"
            " SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:sessions AS text[]), CAST(:types AS text[]),"
            "   CAST(:ats AS timestamptz[]), CAST(:datas AS jsonb[]))"
            " ON CONFLICT (event_id) DO NOTHING"
        ),
        {
            "ids": [event.event_id for event in rows],
            "sessions": [event.session for event in rows],
            "types": [event.type for event in rows],
            "ats": [event.at for event in rows],
            "datas": [json.dumps(event.data) for event in rows],
        },
    )
    return stored.rowcount


def apply(db: Connection, limit: int = BATCH) -> int:
    """Apply the oldest stored events; returns how many were taken (0: none waits)."""
    batch = db.execute(
        text(
            "SELECT id, event_id, session, type, least(at, received_at) AS at, data FROM events WHERE applied_at IS NULL"
            " ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED"
        ),
        {"limit": limit},
    ).all()
    if not batch:
        return 0
    _apply_receipts(db, [event for event in batch if event.type == "receipt"])
    alerts.apply(db, [event for event in batch if event.type == "account"])
    conversations.apply(db, [event for event in batch if event.type in ("inbound", "preference")])
    changed = {event.session for event in batch if event.type == "connection"}
    if changed:
        health.look_soon(db, sorted(changed))
    db.execute(
        text("UPDATE events SET applied_at = clock_timestamp() WHERE id = ANY(:ids)"),
        {"ids": [event.id for event in batch]},
    )
    return len(batch)


def _apply_receipts(db: Connection, receipts: list[Any]) -> None:
    told = told_attempts.of(db, receipts)
    ids = sorted({message_id for (message_id, _), _ in told})
    if not ids:
        return
    rows = db.execute(text("SELECT id, status FROM messages WHERE id = ANY(:ids) ORDER BY id FOR UPDATE"), {"ids": ids})
    before = {row.id: row.status for row in rows}
    facts = _facts(told)
    _raise_attempts(db, facts)
    _keep_failures(db, {attempt: fact for attempt, fact in facts.items() if fact.error is not None})
    _raise_messages(db, facts)
    _clear_strikes(db, {receipt.session for attempt, receipt in told if _went_out(facts.get(attempt))})
    _opt_out(db, [(attempt, fact.reason) for attempt, fact in facts.items() if fact.error == "opted_out"])
    missed = [id for id, status in before.items() if status in ("failed", "unknown")]
    if missed:
        campaign_end.end_anew(db, missed)


def _facts(told: Iterable[tuple[Attempt, Any]]) -> dict[Attempt, _Facts]:
    facts: dict[Attempt, _Facts] = {}
    for attempt, receipt in told:
        outcome = _FACTS.get(str(receipt.data.get("status")))
        if outcome is None:
            continue
        at = receipt.at
        fact = facts.setdefault(attempt, _Facts(outcome, {outcome: at}))
        fact.outcome = merge(fact.outcome, outcome)
        fact.times[outcome] = min(fact.times.get(outcome, at), at)
        if outcome is Outcome.NOT_SENT:
            fact.error = str(receipt.data.get("error") or "provider_error")
            fact.reason = receipt.data.get("reason")
    return facts


def _raise_attempts(db: Connection, facts: dict[Attempt, _Facts]) -> None:
    db.execute(
        text(
            "UPDATE attempts a SET outcome = f.outcome,"
            " proof = CASE WHEN f.outcome = 'not_sent' THEN 'receipt' ELSE a.proof END,"
            " error_code = CASE WHEN f.outcome = 'not_sent' THEN f.error ELSE a.error_code END,"
            " error_reason = CASE WHEN f.outcome = 'not_sent' THEN f.reason ELSE a.error_reason END"
            " FROM unnest(CAST(:ids AS bigint[]), CAST(:numbers AS int[]), CAST(:outcomes AS text[]),"
            "   CAST(:errors AS text[]), CAST(:reasons AS text[])) AS f (id, number, outcome, error, reason)"
            " WHERE a.message_id = f.id AND a.number = f.number AND outcome_rank(f.outcome) > outcome_rank(a.outcome)"
        ),
        {
            "ids": [message_id for message_id, _ in facts],
            "numbers": [number for _, number in facts],
            "outcomes": [str(fact.outcome) for fact in facts.values()],
            "errors": [fact.error for fact in facts.values()],
            "reasons": [fact.reason for fact in facts.values()],
        },
    )
    not_sent.no_doubt_left(db, [key[0] for key, fact in facts.items() if fact.outcome is Outcome.NOT_SENT])


def _keep_failures(db: Connection, facts: dict[Attempt, _Facts]) -> None:
    """One that is told to have failed after it was sent stays sent. That it was told stays at its attempt, and is shown."""
    if not facts:
        return
    db.execute(
        text(
            "UPDATE attempts a SET proof = 'receipt', error_code = f.error, error_reason = f.reason"
            " FROM unnest(CAST(:ids AS bigint[]), CAST(:numbers AS int[]), CAST(:errors AS text[]),"
            "   CAST(:reasons AS text[])) AS f (id, number, error, reason)"
            " WHERE a.message_id = f.id AND a.number = f.number AND a.outcome = 'sent'"
        ),
        {
            "ids": [message_id for message_id, _ in facts],
            "numbers": [number for _, number in facts],
            "errors": [fact.error for fact in facts.values()],
            "reasons": [fact.reason for fact in facts.values()],
        },
    )


def _went_out(fact: _Facts | None) -> bool:
    return fact is not None and fact.outcome in RAISES_TO


def _clear_strikes(db: Connection, good: set[str]) -> None:
    """One good send clears the strikes of a device. Of an official number it is only told here."""
    db.execute(
        text(
            "UPDATE devices SET strikes = 0 WHERE provider = 'cloud' AND session = ANY(:sessions) AND can_send"
            " AND strikes > 0"
        ),
        {"sessions": sorted(good)},
    )


def _opt_out(db: Connection, told: list[tuple[Attempt, str | None]]) -> None:
    """Who wants no more of these messages gets none, wherever the message stands about which it was told. One that waits for
    this word ends by it (services/refused_later.py), and with its reason."""
    for (message_id, _), reason in told:
        status = db.execute(text("SELECT status FROM messages WHERE id = :id"), {"id": message_id}).scalar_one()
        if status != "processing":
            suppress.opted_out(db, message_id, reason or "")


def _raise_messages(db: Connection, facts: dict[Attempt, _Facts]) -> None:
    """All attempts of a message count: the surest of them says where it stands."""
    surest: dict[int, _Facts] = {}
    for (message_id, _), fact in facts.items():
        if fact.outcome not in RAISES_TO:
            continue
        merged = surest.setdefault(message_id, _Facts(fact.outcome, {}))
        merged.outcome = merge(merged.outcome, fact.outcome)
        for outcome, at in fact.times.items():
            merged.times[outcome] = min(merged.times.get(outcome, at), at)
    if not surest:
        return
    db.execute(
        query("raise_messages"),
        {
            "ids": list(surest),
            "statuses": [str(RAISES_TO[fact.outcome]) for fact in surest.values()],
            "sent": [fact.times.get(Outcome.SENT) for fact in surest.values()],
            "delivered": [fact.times.get(Outcome.DELIVERED) for fact in surest.values()],
            "read": [fact.times.get(Outcome.READ) for fact in surest.values()],
        },
    )
