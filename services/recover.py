"""Recovery: settle the messages whose lease ran out, by what the bridge knows of their send key (design: the engine).

The caller asks the bridge between ``overdue`` and ``settle``, with no transaction open.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from random import Random

from sqlalchemy import Connection, text

from bridge.protocol import Closed, KeyState
from db.queries import query
from domain import retry
from services import not_sent

LOOKUP_PATIENCE_S = 900  # a bridge that is away this long leaves its messages to receipts and people
REFUSED_PATIENCE_S = 60  # and one that answers each question with an error, which holds up its device meanwhile


@dataclass(frozen=True, slots=True)
class Doubt:
    """A message whose worker did not record in time.

    ``code`` is what its call ended with, None when the worker was lost. ``may_end``: the lease it began with is not over,
    so the bridge may still be sending it. ``overdue_s``: how long its lease has been over."""

    message_id: int
    attempt: int
    campaign_id: int | None
    device_id: int
    session: str
    bridge_address: str
    begun_at: datetime
    code: str | None
    may_end: bool
    overdue_s: float
    served: bool

    @property
    def key(self) -> str:
        return f"{self.message_id}.{self.attempt}"

    def given_up(self, *, away: bool) -> bool:
        """Whether a bridge that says nothing of it, because it is away or answers with an error, was asked long enough."""
        return self.overdue_s > (LOOKUP_PATIENCE_S if away else REFUSED_PATIENCE_S)


def overdue(db: Connection, lease_s: float, limit: int = 200) -> list[Doubt]:
    """Messages to settle, longest overdue first; those of a bridge that is away, or does not serve their device, only when
    that took too long."""
    rows = db.execute(query("overdue"), {"limit": limit, "patience_s": LOOKUP_PATIENCE_S, "lease_s": lease_s})
    return [Doubt(**row) for row in rows.mappings()]


def settle(db: Connection, doubt: Doubt, found: Closed | None, *, max_attempts: int, rng: Random) -> str | None:
    """Record what the bridge knew (None: it knows nothing, and proves nothing). Returns the message's new status, None
    when it is no longer ours to settle, or the bridge is still at it."""
    if doubt.code == "key_conflict":  # what the bridge knows under this key is of another message
        return _settle(db, doubt, "unknown", None, doubt.code)
    if found is not None and found.state is KeyState.SENT:
        return _settle(db, doubt, "sent", found.provider_message_id, None)
    if found is not None and found.state is KeyState.DISPATCHING and doubt.may_end:
        return None
    if found is not None and _proves_not_sent(db, found, doubt.begun_at):
        used = not_sent.attempts_used(db, doubt.message_id) + 1
        delay_ms = retry.delay_ms(used, max_attempts, rng)
        return not_sent.prove_not_sent(
            db,
            doubt.message_id,
            doubt.attempt,
            proof=str(found.state),
            code=found.code
            or doubt.code
            or ("poison" if delay_ms is None and _lost_before(db, doubt) else "worker_lost"),
            reason=f"the bridge's record of it is {found.state}",
            # A person whose message loses its worker each time must not do it for ever, nor keep the others of its device
            # waiting meanwhile, nor come back together with those who were lost along with it.
            delay_s=None if delay_ms is None else delay_ms / 1000,
            uses_up=True,
            lease_holds=False,
        )
    code = "bridge_unreachable" if doubt.given_up(away=True) else "outcome_unknown"
    return _settle(db, doubt, "unknown", None, code)


def _lost_before(db: Connection, doubt: Doubt) -> bool:
    """Whether all attempts before this one lost their worker, too. One worker that is lost is no fault of the message."""
    lost = text(
        "SELECT NOT EXISTS (SELECT 1 FROM attempts WHERE message_id = :id AND number < :n"
        " AND error_code NOT IN ('worker_lost', 'poison'))"
    )
    return bool(db.execute(lost, {"id": doubt.message_id, "n": doubt.attempt}).scalar_one())


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


def end_unconfirmed(db: Connection) -> int:
    """Messages that the provider took, and of which it has not told in time what came, are in doubt; returns how many."""
    return int(db.execute(query("unconfirmed")).scalar_one())
