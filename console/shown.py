"""How values are written: numbers, shares, phones, times. In a right-to-left text each is isolated (U+2066 … U+2069), so
that "+972 50" and "21 of 24" are read in their order."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import phonenumbers
from babel import dates, numbers

from console.words import _, language, right_to_left

_LEFT_TO_RIGHT, _RIGHT_TO_LEFT, _AS_ITSELF, _END = "\u2066", "\u2067", "\u2068", "\u2069"


def isolated(text: str) -> str:
    """A left-to-right piece that keeps its order in any text."""
    return f"{_LEFT_TO_RIGHT}{text}{_END}" if right_to_left() else text


def plain(text: str) -> str:
    """Text as somebody typed it, for where Markdown is read: its signs are text, and it runs in a direction of its own."""
    escaped = "".join(f"\\{sign}" if sign in "\\`*_{}[]()#+-.!|~:$<>" else sign for sign in text)
    turns = right_to_left() or any(unicodedata.bidirectional(sign) in ("R", "AL") for sign in text)
    return f"{_AS_ITSELF}{escaped}{_END}" if turns else escaped


def number(value: float) -> str:
    """With the language's thousands: 19,270."""
    return isolated(numbers.format_decimal(value, locale=language()))


def share(part: int, whole: int) -> str:
    """21 of 24: in each language the part is read first."""
    words = _("{part} of {whole}", part=number(part), whole=number(whole))
    return f"{_RIGHT_TO_LEFT}{words}{_END}" if right_to_left() else words


def percent(part: float, whole: float) -> str:
    """Of the whole, with one place below ten per cent: 1.2 %. A part never reads as nothing, nor as the whole."""
    if not whole:
        return isolated("0%")
    ratio = part / whole
    if 0 < ratio < 0.001:
        return isolated("<0.1%")
    if 0.999 < ratio < 1:
        return isolated("99.9%")
    form = "#,##0.0%" if 0 < ratio < 0.1 else "#,##0%"
    if 0.99 <= ratio < 1:
        form = "#,##0.0%"
    return isolated(numbers.format_percent(ratio, format=form, locale=language()))


def size(octets: int) -> str:
    """Of a file: 12 KB, 1.4 MB."""
    kilobytes = max(1, round(octets / 1024))
    if kilobytes < 1024:
        return _("{size} KB", size=number(kilobytes))
    return _("{size} MB", size=number(round(kilobytes / 1024, 1)))


def phone(e164: str) -> str:
    """A number as people write it, with its country: +972 50-123-4567."""
    try:
        parsed = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return isolated(e164)
    return isolated(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL))


def clock(at: datetime, zone: str, *, exact: bool = False) -> str:
    """The time of day in the workspace's time zone: 01:20, or exactly 01:20:35."""
    return isolated(f"{at.astimezone(ZoneInfo(zone)):{'%H:%M:%S' if exact else '%H:%M'}}")


def moment(at: datetime, zone: str, *, exact: bool = False) -> str:
    """Day and time; today is left out: 01:20, or 22 Nov, 01:20, with the year when it is another one."""
    local = at.astimezone(ZoneInfo(zone))
    now = datetime.now(UTC).astimezone(local.tzinfo)
    if local.date() == now.date():
        return clock(at, zone, exact=exact)
    form = "d MMM, HH:mm" if local.year == now.year else "d MMM yyyy, HH:mm"
    return isolated(
        dates.format_datetime(local, form + (":ss" if exact else ""), tzinfo=local.tzinfo, locale=language())
    )


def lasting(seconds: float) -> str:
    """How long, roughly: 5 seconds, 3 hours."""
    return dates.format_timedelta(timedelta(seconds=max(0.0, seconds)), threshold=1.2, locale=language())


def ago(seconds: float) -> str:
    """How long ago, roughly: 5 seconds ago."""
    return dates.format_timedelta(
        timedelta(seconds=-max(1.0, seconds)), threshold=1.2, add_direction=True, locale=language()
    )
