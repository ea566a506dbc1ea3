"""Times as providers write them: seconds since 1970, as a number or its digits, or ISO 8601."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

_SECONDS: Final = re.compile(r"[0-9]{1,11}")
_FIRST: Final = datetime(2020, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2100, 1, 1, tzinfo=UTC)


def told_time(value: object) -> datetime | None:
    """The time that a value tells, in UTC; None when it tells none, or one that nobody can mean."""
    at: datetime | None = None
    if isinstance(value, str) and not _SECONDS.fullmatch(value):
        at = _of_words(value)
    elif isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        seconds = int(value)
        at = datetime.fromtimestamp(seconds, UTC) if 0 <= seconds < _LAST.timestamp() else None
    return at if at is not None and _FIRST <= at < _LAST else None


def _of_words(words: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(words)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
