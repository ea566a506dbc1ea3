"""Recovery: settle the messages whose lease ran out, by what the bridge knows of their send key (design: the engine).

The caller asks the bridge between ``overdue`` and ``settle``, with no transaction open.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from bridge.protocol import Closed, KeyState
from db.queries import query
from services import deliver

LOOKUP_PATIENCE_S = 900  # a bridge that is away this long leaves its messages to receipts and people


@dataclass(frozen=True, slots=True)
class Doubt:
    """A message whose worker did not record in time.

    ``code`` is what its call ended with, None when the worker was lost. ``may_end``: the lease it began with is not over,
    so the bridge may still be sending it. ``given_up``: its bridge has been away for too long to wait."""

    message_id: int
    attempt: int
    campaign_id: int | None
    device_id: int
    session: str
    bridge_address: str
    begun_at: datetime
    code: str | None
    may_end: bool
    given_up: bool

    @property
    def key(self) -> str:
        return f"{self.message_id}.{self.attempt}"


def overdue(db: Connection, lease_s: float, limit: int = 200) -> list[Doubt]:
    """Messages to settle, longest overdue first; those of a bridge that is away only when that took too long."""
    rows = db.execute(query("overdue"), {"limit": limit, "patience_s": LOOKUP_PATIENCE_S, "lease_s": lease_s})
    return [Doubt(**row) for row in rows.mappings()]


def settle(db: Connection, doubt: Doubt, found: Closed | None, *, max_attempts: int) -> str | None:
    """Record what the bridge knew (None: it knows nothing, and proves nothing). Returns the message's new status, None
    when it is no longer ours to settle, or the bridge is still at it."""
    if found is not None and found.state is KeyState.SENT:
        return _settle(db, doubt, "sent", found.provider_message_id, None)
    if found is not None and found.state is KeyState.DISPATCHING and doubt.may_end:
        return None
    if found is not None and _proves_not_sent(db, found, doubt.begun_at):
        used = deliver.attempts_used(db, doubt.message_id) + 1
        again = used < max_attempts
        return deliver.prove_not_sent(
            db,
            doubt.message_id,
            doubt.attempt,
            proof=str(found.state),
            code=found.code or doubt.code or ("worker_lost" if again else "poison"),
            reason=f"the bridge's record of it is {found.state}",
            # A person whose message loses its worker each time must not do it for ever.
            delay_s=0.0 if again else None,
            uses_up=True,
            lease_holds=False,
        )
    code = "bridge_unreachable" if doubt.given_up else "outcome_unknown"
    return _settle(db, doubt, "unknown", None, code)


def _proves_not_sent(db: Connection, found: Closed, begun_at: datetime) -> bool:
    if found.state is not KeyState.CLOSED:
        return found.state is KeyState.FAILED
    age = text("SELECT extract(epoch FROM clock_timestamp() - CAST(:begun_at AS timestamptz))")
    return found.ledger_age_s > float(db.execute(age, {"begun_at": begun_at}).scalar_one())


def _settle(
    db: Connection, doubt: Doubt, outcome: str, provider_message_id: str | None, code: str | None
) -> str | None:
    """It went out, or nobody knows: either way it may have gone out just now, so the device's pace starts anew."""
    status = db.execute(
        query("settle"),
        {
            "message_id": doubt.message_id,
            "attempt": doubt.attempt,
            "device_id": doubt.device_id,
            "outcome": outcome,
            "provider_message_id": provider_message_id,
            "code": code,
        },
    ).scalar_one_or_none()
    return None if status is None else str(status)


def free_slots(db: Connection) -> int:
    """Free the slots of messages that a receipt has settled while their worker was gone; returns how many."""
    freed = db.execute(
        text(
            "UPDATE messages SET slot = NULL, lease_until = NULL"
            " WHERE slot IS NOT NULL AND status <> 'processing' AND lease_until < clock_timestamp()"
        )
    )
    return freed.rowcount
