"""When a campaign will end: one that runs, and one that is about to be launched (R56)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from db.queries import query
from domain import forecast, pacing
from domain.forecast import Device
from services import devices, distribute
from services.devices import Candidate


@dataclass(frozen=True, slots=True)
class Finish:
    """How a running campaign will end. ``ends_at`` is None when nothing of it can be sent at present.

    Of the devices on which its people wait, ``at_cap`` send nothing more in this hour or on this day, and
    ``cannot_send`` nothing at all; ``held`` people wait on the latter, and are left out of ``ends_at``.
    """

    ends_at: datetime | None
    at_cap: int
    cannot_send: int
    held: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """What to expect of a launch. ``ends_at`` and ``days`` (of the calendar, first and last included) are None when no
    device can send.

    Of ``devices`` that were chosen ``able`` can send, and ``at_cap`` of these not before the next hour or day. Together
    they send at most ``a_day`` messages on a whole day; ``a_day_each`` is given when that is the same for each.
    """

    people: int
    starts_at: datetime
    ends_at: datetime | None
    days: int | None
    devices: int
    able: int
    at_cap: int
    a_day: int
    a_day_each: int | None


@dataclass(frozen=True, slots=True)
class _Queue:
    """Messages that wait on a device, and their mean gap there."""

    campaign_id: int | None
    n: int
    gap_s: float
    out: bool


@dataclass(frozen=True, slots=True)
class _Line:
    """A device and what waits there."""

    device_id: int
    ready: bool
    empty: Device
    gaps_s: tuple[float, float]
    queues: list[_Queue]

    def sending(self, own: int, gap_s: float, others: Sequence[_Queue]) -> Device:
        """The device with all that goes out until the last of ``own`` messages: campaigns take turns, singles go first."""
        parts = [(own, gap_s)]
        parts += [(queue.n if queue.campaign_id is None else min(queue.n, own), queue.gap_s) for queue in others]
        total = sum(n for n, _ in parts)
        return replace(self.empty, messages=total, gap_s=sum(n * each_s for n, each_s in parts) / total)


def running(db: Connection, campaign_id: int) -> Finish:
    """How a campaign will end if its devices stay as they are."""
    clock = db.execute(
        text(
            "SELECT clock_timestamp() AS now, w.time_zone, w.sending_stopped_at IS NOT NULL AS stopped,"
            " ARRAY(SELECT device_id FROM campaign_devices WHERE campaign_id = c.id) AS device_ids"
            " FROM campaigns c JOIN workspaces w ON w.id = c.workspace_id WHERE c.id = :id"
        ),
        {"id": campaign_id},
    ).one()
    sending: list[Device] = []
    cannot_send = held = 0
    for line in _lines(db, clock.device_ids, clock.now, campaign_id):
        own = next((queue for queue in line.queues if queue.campaign_id == campaign_id), None)
        if own is None:
            continue
        if line.ready and not own.out:
            others = [queue for queue in line.queues if queue is not own]
            sending.append(line.sending(own.n, own.gap_s, others))
        else:
            cannot_send, held = cannot_send + 1, held + own.n
    ends_at = None if clock.stopped else forecast.end(sending, clock.now, ZoneInfo(clock.time_zone))
    return Finish(ends_at, sum(device.at_cap for device in sending), cannot_send, held)


def before_launch(
    db: Connection,
    workspace_id: int,
    people: int,
    *,
    device_ids: Sequence[int] | None,
    min_delay_s: float | None = None,
    max_delay_s: float | None = None,
    starts_at: datetime | None = None,
) -> Forecast:
    """What to expect when ``people`` are dealt over these devices (None: all) now, or at ``starts_at``."""
    clock = db.execute(
        text("SELECT clock_timestamp() AS now, time_zone FROM workspaces WHERE id = :id"), {"id": workspace_id}
    ).one()
    starts_at = max(clock.now, starts_at or clock.now)
    zone = ZoneInfo(clock.time_zone)
    chosen = devices.for_launch(db, workspace_id, device_ids)
    able = {candidate.id: candidate for candidate in chosen if candidate.ready}
    lines = _lines(db, list(able), starts_at, None)
    given = _dealt(people, [_at_start(able[line.device_id], line) for line in lines])
    sending: list[Device] = []
    paces: list[Device] = []
    for line in lines:
        gap_s = pacing.mean_gap_s(*line.gaps_s, min_delay_s, max_delay_s)
        paces.append(replace(line.empty, gap_s=gap_s))
        if own := given.get(line.device_id):
            others = line.queues if starts_at == clock.now else _left(line, clock.now, starts_at, zone)
            sending.append(line.sending(own, gap_s, others))
    ends_at = forecast.end(sending, starts_at, zone)
    each = {pace.a_day for pace in paces}
    return Forecast(
        people=people,
        starts_at=starts_at,
        ends_at=ends_at,
        days=None if ends_at is None else forecast.days(starts_at, ends_at, zone),
        devices=len(chosen),
        able=len(able),
        at_cap=sum(pace.at_cap for pace in paces),
        a_day=sum(pace.a_day for pace in paces),
        a_day_each=each.pop() if len(each) == 1 else None,
    )


def _lines(db: Connection, device_ids: Sequence[int], at: datetime, campaign_id: int | None) -> list[_Line]:
    rows = db.execute(query("forecast"), {"device_ids": list(device_ids), "at": at, "campaign_id": campaign_id})
    return [_line(list(group)) for _, group in groupby(rows, key=lambda row: row.id)]


def _line(rows: list[Any]) -> _Line:
    first = rows[0]
    gaps_s = (first.min_gap_s, first.max_gap_s)
    return _Line(
        device_id=first.id,
        ready=first.ready,
        empty=Device(
            messages=0,
            gap_s=pacing.mean_gap_s(*gaps_s),
            next_send_at=first.next_send_at,
            hourly_cap=first.hourly_cap,
            daily_cap=first.daily_cap,
            hour_used=first.hour_used,
            day_used=first.day_used,
        ),
        gaps_s=gaps_s,
        queues=[
            _Queue(row.campaign_id, row.n, pacing.mean_gap_s(*gaps_s, row.min_delay_s, row.max_delay_s), bool(row.out))
            for row in rows
            if row.n
        ],
    )


def _at_start(candidate: Candidate, line: _Line) -> Candidate:
    """As it will be at the start: by then another day may have begun."""
    cap = line.empty.daily_cap
    return candidate if cap is None else replace(candidate, left_today=max(0, cap - line.empty.day_used))


def _dealt(people: int, able: list[Candidate]) -> dict[int, int]:
    shares = distribute.shares(able)
    counts = forecast.shares(people, [share.weight for share in shares])
    return {share.device_id: n for share, n in zip(shares, counts, strict=True)}


def _left(line: _Line, now: datetime, starts_at: datetime, zone: ZoneInfo) -> list[_Queue]:
    """What will still wait there at a later start, each campaign having sent its part."""
    total = sum(queue.n for queue in line.queues)
    if not total:
        return []
    gap_s = sum(queue.n * queue.gap_s for queue in line.queues) / total
    busy = replace(line.empty, messages=total, gap_s=gap_s)
    left = 1 - forecast.sent_by(busy, starts_at, now, zone) / total
    return [replace(queue, n=round(queue.n * left)) for queue in line.queues]
