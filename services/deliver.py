"""Begin, and record: the two committed steps around a send, and what a send's result means for message and device."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from bridge.protocol import InDoubt, NotSent, Outbound, SendResult, Sent, Text
from db import prepared
from db.queries import query
from domain import failures, pacing, phone, retry, template
from services import campaign_end, trouble


@dataclass(frozen=True, slots=True)
class Begun:
    """A message that this worker holds, with all that is needed to send it and to record what came of it.

    ``due_at`` is when it could have begun, ``begun_at`` when it did; times are the database's.
    """

    message_id: int
    attempt: int
    campaign_id: int | None
    device_id: int
    session: str
    bridge_address: str
    phone: str
    name: str | None
    variables: dict[str, str]
    text: str
    gap_s: float
    due_at: datetime
    begun_at: datetime
    next_send_at: datetime

    @property
    def key(self) -> str:
        """The send key: the bridge's idempotency key."""
        return f"{self.message_id}.{self.attempt}"

    def outbound(self) -> Outbound:
        """What goes to the bridge. Raises template.MissingValues when the person lacks a value."""
        values = self.variables if self.name is None else {"name": self.name, **self.variables}
        body = self.text if self.campaign_id is None else template.render(template.parse(self.text), values)
        return Outbound(self.session, self.key, phone.whatsapp_address(self.phone), Text(body))


@dataclass(frozen=True, slots=True)
class Recorded:
    """Where a message stands after its record. ``next_send_at`` is given when the record moved it."""

    status: str
    next_send_at: datetime | None = None


def begin(
    db: Connection, device_id: int, slot: int, *, worker_id: str, lease_s: float, rng: random.Random
) -> Begun | None:
    """Take the device's next message, or None when nothing may be sent from it now."""
    draw = pacing.draw(rng)
    try:
        row = (
            prepared.execute(
                db,
                "begin",
                {
                    "device_id": device_id,
                    "slot": slot,
                    "worker_id": worker_id,
                    "lease_s": lease_s,
                    "fraction": draw.fraction,
                    "jitter_s": draw.jitter_s,
                    "jitter_from_s": pacing.JITTER_FROM_S,
                },
            )
            .mappings()
            .one_or_none()
        )
    except IntegrityError as error:
        if "messages_slot_key" in str(error.orig):  # another send holds the slot: exactly what the index is there for
            return None
        raise
    return None if row is None else Begun(**row)


def record(db: Connection, begun: Begun, result: SendResult, *, max_attempts: int, rng: random.Random) -> Recorded:
    """Write down what came of a send. Running it again changes nothing more."""
    match result:
        case Sent():
            return _record_sent(db, begun, result)
        case NotSent():
            return _record_not_sent(db, begun, result, max_attempts, rng)
        case InDoubt():
            return _record_in_doubt(db, begun, result)


def _record_sent(db: Connection, begun: Begun, result: Sent) -> Recorded:
    row = prepared.execute(
        db,
        "record_sent",
        {
            "message_id": begun.message_id,
            "attempt": begun.attempt,
            "device_id": begun.device_id,
            "provider_message_id": result.provider_message_id,
            "hold_s": max(0.0, begun.gap_s - result.duration_s),
        },
    ).one()
    if row.recorded:
        return Recorded("sent", row.next_send_at)
    # The lease was over: whoever holds the message now keeps it, and this result counts like a receipt.
    raised = db.execute(
        text(
            "UPDATE messages SET status = 'sent'"
            " WHERE id = :id AND message_rank(status) < message_rank('sent') RETURNING status"
        ),
        {"id": begun.message_id},
    ).scalar()
    if raised is None:
        return Recorded("late", row.next_send_at)
    campaign_end.end_anew(db, [begun.message_id])
    return Recorded("sent", row.next_send_at)


def _record_not_sent(db: Connection, begun: Begun, result: NotSent, max_attempts: int, rng: random.Random) -> Recorded:
    code = result.code
    of_device, of_bridge = code in failures.DEVICE_CODES, code in failures.BRIDGE_AWAY_CODES
    uses_up = not (of_device or of_bridge or code == "throttled")
    delay_s: float | None = None
    if not uses_up:
        delay_s = 0.0
    elif result.retryable:
        used = attempts_used(db, begun.message_id) + 1
        delay_ms = retry.delay_ms(used, max_attempts, rng)
        delay_s = None if delay_ms is None else delay_ms / 1000
    status = prove_not_sent(
        db,
        begun.message_id,
        begun.attempt,
        proof=result.proof,
        code=code,
        reason=result.reason,
        delay_s=delay_s,
        uses_up=uses_up,
        lease_holds=True,
    )
    if status is None:  # the lease is over, or this was recorded before: device and bridge bear it once
        return Recorded("late")
    if of_bridge:  # the bridge before the device, as where a look is written down
        trouble.bridge_away(db, begun.bridge_address, code, result.reason)
    if not uses_up:
        trouble.refund(db, begun.device_id)
    if of_device:
        trouble.strike(db, begun.device_id, code, result.reason)
    elif code == "throttled":
        trouble.throttled(db, begun.device_id, result.retry_after_s or trouble.THROTTLE_WAIT_S)
    return Recorded(status)


def _record_in_doubt(db: Connection, begun: Begun, result: InDoubt) -> Recorded:
    let_go(db, begun)
    db.execute(
        text(
            "UPDATE attempts SET outcome = 'unknown', error_code = :code, error_reason = :reason"
            " WHERE message_id = :id AND number = :n AND outcome = 'begun'"
        ),
        {"id": begun.message_id, "n": begun.attempt, "code": result.code, "reason": result.reason},
    )
    return Recorded("in doubt")


def let_go(db: Connection, begun: Begun) -> None:
    """The lease ends now, so that recovery looks the key up at once instead of when it would have run out."""
    db.execute(
        text(
            "UPDATE messages SET lease_until = clock_timestamp() WHERE id = :id AND attempt = :n AND slot IS NOT NULL"
        ),
        {"id": begun.message_id, "n": begun.attempt},
    )


def attempts_used(db: Connection, message_id: int) -> int:
    """How many of its attempts a message has used up; 0 for one that was deleted with its device."""
    used = db.execute(text("SELECT attempts_used FROM messages WHERE id = :id"), {"id": message_id})
    return int(used.scalar_one_or_none() or 0)


def no_doubt_left(db: Connection, message_ids: list[int]) -> None:
    """Those of these messages that are unknown, and whose last doubt is gone, stay where a person decides, but are now safe
    to retry."""
    db.execute(
        text(
            "UPDATE messages SET error_code = 'not_sent_after_all', error_reason = NULL"
            " WHERE id = ANY(:ids) AND status = 'unknown' AND NOT has_unproven_attempt(id)"
        ),
        {"ids": message_ids},
    )


def prove_not_sent(
    db: Connection,
    message_id: int,
    attempt: int,
    *,
    proof: str,
    code: str,
    reason: str,
    delay_s: float | None,
    uses_up: bool,
    lease_holds: bool,
) -> str | None:
    """Store the proof that an attempt did not go out, and let the message wait again (``delay_s``) or end (None).

    ``lease_holds`` says who may do it: the worker while its lease holds, recovery when it is over. Returns the status
    that the message then has, or None when it was no longer this attempt's.
    """
    db.execute(
        text("SELECT c.id FROM messages m JOIN campaigns c ON c.id = m.campaign_id WHERE m.id = :id FOR SHARE OF c"),
        {"id": message_id},
    )
    db.execute(text("SELECT id FROM messages WHERE id = :id FOR UPDATE"), {"id": message_id})
    db.execute(
        text(
            "UPDATE attempts SET outcome = 'not_sent', proof = :proof, error_code = :code, error_reason = :reason,"
            " finished_at = clock_timestamp()"
            " WHERE message_id = :id AND number = :n AND outcome IN ('begun', 'unknown')"
        ),
        {"id": message_id, "n": attempt, "proof": proof, "code": code, "reason": reason},
    )
    status = db.execute(
        query("requeue_or_end"),
        {
            "message_id": message_id,
            "attempt": attempt,
            "delay_s": delay_s,
            "used": 1 if uses_up else 0,
            "code": code,
            "reason": reason,
            "lease_holds": lease_holds,
        },
    ).scalar_one_or_none()
    if status is None:
        no_doubt_left(db, [message_id])  # recovery may have called it unknown before its worker woke
        return None
    return str(status)
