"""When a device will have sent what it has to send, given its pace and its caps.

Whole hours and whole days are counted at once, so that a month is foreseen as fast as a minute. The rules are those of
db/sql/begin.sql: a cap that is reached moves the next send to the end of its hour (of UTC) or of its day (of the
workspace), and gaps count from one send to the next. Moments are whole microseconds since 1970 inside, so that nothing is
lost to rounding.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TICK: Final = timedelta(microseconds=1)
_HOUR: Final = timedelta(hours=1) // _TICK
_DAY: Final = 24 * _HOUR
# Nobody plans for longer, and the calendar must not run out. What would end later is said to end then.
_LONGEST: Final = 3650 * _DAY
# A device that has reached its daily cap within 22 hours of midnight does so on every day, however long the day is, and
# all of its days are alike.
_SURELY_DAILY: Final = 22 * _HOUR


@dataclass(frozen=True, slots=True)
class Device:
    """A device with ``messages`` to send, on average ``gap_s`` seconds apart, from ``next_send_at`` on.

    ``hour_used`` and ``day_used`` are what it has sent in the hour and on the day of now; a cap of None is none.
    """

    messages: int
    gap_s: float
    next_send_at: datetime
    hourly_cap: int | None = None
    daily_cap: int | None = None
    hour_used: int = 0
    day_used: int = 0

    @property
    def at_cap(self) -> bool:
        """Whether it sends nothing more in this hour, or on this day."""
        return (self.hourly_cap is not None and self.hour_used >= self.hourly_cap) or (
            self.daily_cap is not None and self.day_used >= self.daily_cap
        )

    @property
    def a_day(self) -> int:
        """The most it sends on a whole day."""
        by_gap = _DAY // _gap(self)
        return min(
            by_gap,
            by_gap if self.hourly_cap is None else 24 * self.hourly_cap,
            by_gap if self.daily_cap is None else self.daily_cap,
        )


def end(devices: Iterable[Device], now: datetime, zone: tzinfo) -> datetime | None:
    """When the last message of all goes out; days are those of ``zone``. None when there is nothing to send."""
    return max((last_send_at(device, now, zone) for device in devices if device.messages), default=None)


def last_send_at(device: Device, now: datetime, zone: tzinfo) -> datetime:
    """When a device's last message goes out; it must have one. At most ten years from now."""
    started = _ticks(now)
    far = started + _LONGEST
    course = _Course(device, started)
    left, cap = device.messages, device.daily_cap
    if cap is None:
        return _moment(course.last if course.send(left, far) == left else far)
    today, used = _date(started, zone), device.day_used
    while course.next < far:
        day = _date(course.next, zone)
        if day != today:
            today, used = day, 0
        whole_day = used == 0 and course.next == _midnight(day, zone)
        midnight = _midnight(day + timedelta(days=1), zone)
        sent = course.send(min(left, max(0, cap - used)), midnight)
        left, used = left - sent, used + sent
        if not left:
            return _moment(min(course.last, far))
        if used < cap:
            continue
        course.next = max(course.next, midnight)
        if whole_day and course.next == midnight and course.last - _midnight(day, zone) <= _SURELY_DAILY:
            more = min((left - 1) // cap, _LONGEST // _DAY)
            left -= more * cap
            course.next = _midnight(day + timedelta(days=1 + more), zone)
    return _moment(far)


def sent_by(device: Device, moment: datetime, now: datetime, zone: tzinfo) -> int:
    """How many of its messages a device has sent by then."""

    def sent_at(count: int) -> datetime:
        return last_send_at(replace(device, messages=count), now, zone)

    return bisect_right(range(1, device.messages + 1), moment, key=sent_at)


def shares(count: int, weights: Sequence[float]) -> list[int]:
    """How many of ``count`` people each gets at most when they are dealt by these weights (domain/distribution.py)."""
    total = math.fsum(weights)
    return [math.ceil(count * weight / total - 1e-9) for weight in weights]


def days(first: datetime, last: datetime, zone: tzinfo) -> int:
    """How many days of the calendar there are from the one moment to the other, both days included."""
    return (last.astimezone(zone).date() - first.astimezone(zone).date()).days + 1


class _Course:
    """A device on its way: when it sends ``next``, when it sent ``last``, and how many it has sent in this hour."""

    def __init__(self, device: Device, now: int) -> None:
        self.next = max(now, _ticks(device.next_send_at))
        self.last = self.next
        self._gap = _gap(device)
        # More than this do not fit into an hour, so without a cap it is as good as one.
        self._cap = device.hourly_cap or _HOUR // self._gap + 1
        self._hour = now // _HOUR
        self._used = device.hour_used if device.hourly_cap else 0

    def send(self, messages: int, until: int) -> int:
        """Send up to so many before ``until``, by gap and hourly cap; returns how many."""
        sent = self._in_this_hour(messages, until)
        if sent == messages or self.next >= until:
            return sent
        if self._cap * self._gap >= _HOUR:  # an hour ends before the cap is reached
            return sent + self._step(messages - sent, until)
        sent += self._whole_hours(messages - sent, until)
        return sent + self._in_this_hour(messages - sent, until)

    def _in_this_hour(self, messages: int, until: int) -> int:
        hour = self.next // _HOUR
        if hour != self._hour:
            self._hour, self._used = hour, 0
        ends = (hour + 1) * _HOUR
        sent = self._step(min(messages, max(0, self._cap - self._used)), min(ends, until))
        self._used += sent
        if self._used >= self._cap:
            self.next = max(self.next, ends)
        return sent

    def _whole_hours(self, messages: int, until: int) -> int:
        """Each sends exactly its cap. It may begin late by less than a gap, and then makes up for it hour by hour."""
        hour, late = divmod(self.next, _HOUR)
        hours = max(0, min((messages - 1) // self._cap, until // _HOUR - hour))
        spare = _HOUR - self._cap * self._gap
        self.next = (hour + hours) * _HOUR + max(0, late - hours * spare)
        return hours * self._cap

    def _step(self, messages: int, until: int) -> int:
        """Gap after gap, with no cap in between."""
        sent = max(0, min(messages, -(-(until - self.next) // self._gap)))
        if sent:
            self.last = self.next + (sent - 1) * self._gap
            self.next += sent * self._gap
        return sent


def _gap(device: Device) -> int:
    return max(1, round(device.gap_s * 1_000_000))


def _ticks(moment: datetime) -> int:
    return (moment - _EPOCH) // _TICK


def _moment(ticks: int) -> datetime:
    return _EPOCH + ticks * _TICK


def _date(ticks: int, zone: tzinfo) -> date:
    return _moment(ticks).astimezone(zone).date()


def _midnight(day: date, zone: tzinfo) -> int:
    return _ticks(datetime.combine(day, time(), zone))
