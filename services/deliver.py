"""Begin, and record: the two committed steps around a send. What was not sent is the matter of services/not_sent.py."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from bridge.protocol import (
    Accepted,
    Content,
    File,
    InDoubt,
    Media,
    NotSent,
    Outbound,
    SendResult,
    Sent,
    Template,
    Text,
)
from db import prepared
from db.queries import query
from domain import cloud_template, pacing, phone, template
from services import campaign_end, not_sent, trouble
from services.not_sent import Tried

LONGEST_TURN_S = 5.0
LONGEST_HOLD_S = 30.0


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
    template: dict[str, Any] | None
    gap_s: float
    due_at: datetime
    begun_at: datetime
    next_send_at: datetime
    pair_gap_s: float | None
    in_flight_limit: int

    @property
    def key(self) -> str:
        """The send key: the bridge's idempotency key."""
        return f"{self.message_id}.{self.attempt}"

    @property
    def again_at(self) -> datetime:
        """When its slot may be looked at next. Where there are several each has its turn, a gap apart: by then all the
        others have had theirs."""
        turn_s = min((self.in_flight_limit - 1) * self.gap_s, LONGEST_TURN_S)
        return self.next_send_at + timedelta(seconds=turn_s)

    def outbound(self, header: File | None = None) -> Outbound:
        """What goes to the bridge; ``header`` is the file of its template. Raises template.MissingValuesError when the
        person lacks a value."""
        values = self.variables if self.name is None else {"name": self.name, **self.variables}
        return Outbound(self.session, self.key, phone.whatsapp_address(self.phone), self._content(values, header))

    def _content(self, values: dict[str, str], header: File | None) -> Content:
        if self.template is None:
            single = self.campaign_id is None
            return Text(self.text if single else template.render(template.parse(self.text), values))
        components = self.template["components"]
        kind = cloud_template.asked(components).header_file
        return Template(
            self.template["name"],
            self.template["language"],
            cloud_template.filled(components, self.template["values"], values),
            Media(kind, header) if kind is not None and header is not None else None,
        )


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
    # Only a device that may have several in flight has a slot above 0. Of begins at once each has its turn there: one that
    # was passed over would be missed by the rate. What it picks is seen as it stands when the row is locked.
    waiting = "SELECT 1 FROM devices WHERE id = :device_id FOR UPDATE" if slot > 0 else None
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
                    "catch_up_s": pacing.CATCH_UP_S,
                },
                after=waiting,
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
    if begun.pair_gap_s:
        pair = {"device_id": begun.device_id, "phone": begun.phone, "pair_gap_s": begun.pair_gap_s}
        db.execute(query("let_pair_go"), pair)
    match result:
        case Sent():
            return _record_sent(db, begun, result)
        case Accepted():
            return _record_accepted(db, begun, result)
        case NotSent():
            tried = Tried(begun.message_id, begun.attempt, begun.device_id, begun.bridge_address)
            status = not_sent.record(db, tried, result, max_attempts=max_attempts, rng=rng)
            return Recorded(status or "late")
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


def _record_accepted(db: Connection, begun: Begun, result: Accepted) -> Recorded:
    accepted = {
        "message_id": begun.message_id,
        "attempt": begun.attempt,
        "provider_message_id": result.provider_message_id,
    }
    recorded = prepared.execute(db, "record_accepted", accepted).scalar_one()
    return Recorded("accepted" if recorded else "late")


def _record_in_doubt(db: Connection, begun: Begun, result: InDoubt) -> Recorded:
    if result.final:
        return Recorded(_settle_unknown(db, begun, result) or "late")
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


def _settle_unknown(db: Connection, begun: Begun, result: InDoubt) -> str | None:
    """There is nobody to ask: it is in doubt from now on, until an event tells."""
    db.execute(
        text(
            "UPDATE attempts SET error_code = :code, error_reason = :reason"
            " WHERE message_id = :id AND outcome = 'begun' AND number = :n"
        ),
        {"id": begun.message_id, "n": begun.attempt, "code": result.code, "reason": result.reason},
    )
    status: str | None = db.execute(
        query("settle"),
        {
            "message_id": begun.message_id,
            "attempt": begun.attempt,
            "device_id": begun.device_id,
            "outcome": "unknown",
            "provider_message_id": None,
            "code": result.code,
        },
    ).scalar_one_or_none()
    if status is not None:
        trouble.throttled(db, begun.device_id, result.code, _hold_s(db, begun.device_id))
    return status


def _hold_s(db: Connection, device_id: int) -> float:
    """How long a device rests after a doubt that nobody can settle for now: one may be an accident, but while the provider
    is out each more is a person whom nobody can write to again. Doubles with each of the last minute."""
    recent = db.execute(
        text(
            "SELECT count(*) FROM attempts WHERE device_id = :id AND outcome = 'unknown'"
            " AND begun_at > clock_timestamp() - interval '1 minute'"
        ),
        {"id": device_id},
    ).scalar_one()
    return min(LONGEST_HOLD_S, float(2 ** min(recent, 10) // 2))
