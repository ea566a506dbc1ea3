"""From what a clock on the wall says to a moment (R52): twice a year the clock says one hour twice, or never."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Moment:
    """``at`` in UTC. ``skipped``: the clock never says this, and ``at`` is as long after the change as asked; ``twice``:
    it says it two times, and ``at`` is the first."""

    at: datetime
    skipped: bool
    twice: bool


def moment(day: date, clock: time, zone: str) -> Moment:
    """When it is so late on this day in a time zone."""
    local = datetime.combine(day, clock, ZoneInfo(zone))
    at = local.astimezone(UTC)
    skipped = at.astimezone(local.tzinfo).replace(tzinfo=None) != local.replace(tzinfo=None)
    twice = not skipped and local.replace(fold=1).astimezone(UTC) != at
    return Moment(at, skipped, twice)
