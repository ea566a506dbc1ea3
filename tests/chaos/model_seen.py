"""What the database holds, read whole in one statement, so that a step can be compared with the step before."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

REACHED = ("sent", "delivered", "read")
BAD = ("failed", "unknown")
WAITING = ("queued", "processing")
ENDED = (*REACHED, *BAD, "cancelled", "suppressed")

_PREPARE = """
PREPARE seen AS SELECT json_build_object(
  'now', extract(epoch FROM clock_timestamp()),
  'stopped', (SELECT sending_stopped_at IS NOT NULL FROM workspaces),
  'away', (SELECT away_since IS NOT NULL FROM bridges),
  'suppressed', (SELECT coalesce(json_agg(phone), '[]') FROM suppressions),
  'departed', (SELECT coalesce(json_agg(json_build_array(campaign_id, counts)), '[]') FROM departed_totals),
  'devices', (SELECT coalesce(json_agg(json_build_array(id, can_send, in_flight_limit, extract(epoch FROM next_send_at),
     min_gap_s)), '[]') FROM devices),
  'outs', (SELECT coalesce(json_agg(json_build_array(campaign_id, device_id)), '[]') FROM campaign_devices
     WHERE out_at IS NULL),
  'campaigns', (SELECT coalesce(json_agg(json_build_array(id, status, min_delay_s) ORDER BY id), '[]') FROM campaigns),
  'messages', (SELECT coalesce(json_agg(json_build_array(
     (SELECT coalesce(json_object_agg(a.number, json_build_array(a.outcome, a.device_id)), '{}')
       FROM attempts a WHERE a.message_id = m.id),
     ARRAY[m.sent_at, m.delivered_at, m.read_at, m.unknown_at, m.failed_at, m.cancelled_at, m.suppressed_at],
     m.id, m.campaign_id, m.device_id, m.phone, m.status, m.slot,
     m.attempt, extract(epoch FROM m.due_at), m.requeued_by, (SELECT action FROM audit WHERE id = m.requeued_by),
     m.error_code) ORDER BY m.id), '[]') FROM messages m))
"""
TIMES = ("sent", "delivered", "read", "unknown", "failed", "cancelled", "suppressed")


@dataclass(frozen=True, slots=True)
class Message:
    """``outcomes`` and ``devices`` are those of its attempts, by number; ``times`` are the states that have a time."""

    outcomes: dict[int, str]
    devices: dict[int, int]
    times: frozenset[str]
    id: int
    campaign_id: int | None
    device_id: int | None
    phone: str
    status: str
    slot: int | None
    attempt: int
    due_at: float
    requeued_by: int | None
    decision: str | None
    error_code: str | None

    @property
    def unproven(self) -> list[int]:
        """The attempts that are not proven not sent."""
        return [number for number, outcome in self.outcomes.items() if outcome != "not_sent"]


@dataclass(frozen=True, slots=True)
class Device:
    id: int
    can_send: bool
    in_flight_limit: int
    next_send_at: float
    min_gap_s: float


@dataclass(frozen=True, slots=True)
class Campaign:
    id: int
    status: str
    min_delay_s: float | None


@dataclass(frozen=True)
class Seen:
    """``used_by``: the devices that each campaign may use now. ``departed``: what deleted devices took with them."""

    now: float
    stopped: bool
    away: bool
    suppressed: frozenset[str]
    departed: dict[int, Counter[str]]
    devices: dict[int, Device]
    used_by: dict[int, set[int]]
    campaigns: dict[int, Campaign]
    messages: dict[int, Message]

    def counts(self, campaign_id: int) -> Counter[str]:
        """How many of a campaign's people stand where."""
        here = Counter(m.status for m in self.messages.values() if m.campaign_id == campaign_id)
        return here + self.departed.get(campaign_id, Counter())

    def sendable(self, device_id: int, slot: int) -> list[Message]:
        """The messages that may begin on this device and slot now, written from the promises and not from the statement."""
        device = self.devices[device_id]
        mine = [m for m in self.messages.values() if m.device_id == device_id]
        if (
            self.stopped
            or self.away
            or not device.can_send
            or slot >= device.in_flight_limit
            or device.next_send_at > self.now
            or any(m.slot == slot for m in mine)
        ):
            return []
        return [
            m
            for m in mine
            if m.status == "queued"
            and m.due_at <= self.now
            and m.phone not in self.suppressed
            and (m.campaign_id is None or self._runs(m.campaign_id, device_id))
        ]

    def _runs(self, campaign_id: int, device_id: int) -> bool:
        status = self.campaigns[campaign_id].status
        return status in ("queued", "running") and device_id in self.used_by.get(campaign_id, set())


class Eyes:
    """Looks at the database through a connection of its own."""

    def __init__(self, db: Connection) -> None:
        self._db = db.execution_options(isolation_level="AUTOCOMMIT")
        self._db.execute(text(_PREPARE.replace(":", r"\:")))

    def look(self) -> Seen:
        found: dict[str, Any] = self._db.execute(text("EXECUTE seen")).scalar_one()
        departed: dict[int, Counter[str]] = {}
        for campaign_id, counts in found["departed"]:
            departed.setdefault(campaign_id, Counter()).update(counts)
        used_by: dict[int, set[int]] = {}
        for campaign_id, device_id in found["outs"]:
            used_by.setdefault(campaign_id, set()).add(device_id)
        return Seen(
            now=found["now"],
            stopped=found["stopped"],
            away=found["away"],
            suppressed=frozenset(found["suppressed"]),
            departed=departed,
            devices={row[0]: Device(*row) for row in found["devices"]},
            used_by=used_by,
            campaigns={row[0]: Campaign(*row) for row in found["campaigns"]},
            messages={message.id: message for message in (_message(*row) for row in found["messages"])},
        )


def _message(attempts: dict[str, Any], times: list[str | None], *plain: Any) -> Message:
    outcomes = {int(number): outcome for number, (outcome, _) in attempts.items()}
    devices = {int(number): device_id for number, (_, device_id) in attempts.items()}
    held = frozenset(name for name, at in zip(TIMES, times, strict=True) if at is not None)
    return Message(outcomes, devices, held, *plain)
