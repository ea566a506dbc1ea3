"""What an attempt that was not sent means: for its message, which waits again or ends, and for device, bridge and person."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from sqlalchemy import Connection, text

from bridge.protocol import NotSent
from db.queries import query
from domain import failures, retry
from services import suppress, trouble


@dataclass(frozen=True, slots=True)
class Tried:
    """The attempt that was not sent, and where from."""

    message_id: int
    attempt: int
    device_id: int
    bridge_address: str


def record(
    db: Connection, tried: Tried, result: NotSent, *, max_attempts: int, rng: Random, lease_holds: bool = True
) -> str | None:
    """Write down that it was not sent. Returns the status that the message then has; None when its lease does not stand as
    the caller says, or this was recorded before: device and bridge bear it once."""
    code = result.code
    of_device, of_bridge = code in failures.DEVICE_CODES, code in failures.BRIDGE_AWAY_CODES
    uses_up = not (of_device or of_bridge or code in failures.NOT_YET_CODES)
    delay_s: float | None = None
    if not uses_up:
        # Only these are of the message alone; all others hold up the device.
        delay_s = (result.retry_after_s or 0.0) if code == "pair_limit" else 0.0
    elif result.retryable:
        used = attempts_used(db, tried.message_id) + 1
        delay_ms = retry.delay_ms(used, max_attempts, rng)
        delay_s = None if delay_ms is None else delay_ms / 1000
    status = prove_not_sent(
        db,
        tried.message_id,
        tried.attempt,
        proof=result.proof,
        code=code,
        reason=result.reason,
        delay_s=delay_s,
        uses_up=uses_up,
        lease_holds=lease_holds,
    )
    if status is None:
        return None
    if of_bridge:  # the bridge before the device, as where a look is written down
        trouble.bridge_away(db, tried.bridge_address, code, result.reason)
    if not uses_up:
        trouble.refund(db, tried.device_id)
    if of_device:
        trouble.strike(db, tried.device_id, code, result.reason)
    elif code in ("throttled", "media_uploading", "token_unopened"):
        trouble.throttled(db, tried.device_id, code, result.retry_after_s or trouble.THROTTLE_WAIT_S)
    elif code == "opted_out":
        suppress.opted_out(db, tried.message_id, result.reason)
    return status


def attempts_used(db: Connection, message_id: int) -> int:
    """How many of its attempts a message has used up; 0 for one that was deleted with its device."""
    used = db.execute(text("SELECT attempts_used FROM messages WHERE id = :id"), {"id": message_id})
    return int(used.scalar_one_or_none() or 0)


def no_doubt_left(db: Connection, message_ids: list[int]) -> None:
    """Those of these messages that are unknown, and whose last doubt is gone, stay where a person decides, but are now safe
    to retry, unless that would be in vain."""
    db.execute(
        text(
            "UPDATE messages m SET error_reason = NULL, error_code = coalesce((SELECT a.error_code FROM attempts a"
            "   WHERE a.message_id = m.id AND a.number = m.attempt AND a.error_code = ANY(:hopeless)), 'not_sent_after_all')"
            " WHERE id = ANY(:ids) AND status = 'unknown' AND NOT has_unproven_attempt(id)"
        ),
        {"ids": message_ids, "hopeless": sorted(failures.NOT_WORTH_RETRYING)},
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
