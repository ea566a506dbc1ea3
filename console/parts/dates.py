"""Days and times in words, for what is decided by them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from babel import dates

from console.shown import isolated
from console.words import language


def day_and_time(at: datetime, zone: str) -> str:
    """Monday, 30 November 2026, 09:00, in the workspace's time zone."""
    local = at.astimezone(ZoneInfo(zone))
    day = dates.format_date(local.date(), "EEEE, d MMMM y", locale=language())
    return f"{day}, {isolated(f'{local:%H:%M}')}"
