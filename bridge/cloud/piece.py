"""A piece of a webhook as an event of ours, and the careful reading of values that may be anything."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

_LONGEST_NAME: Final = 200
_LONGEST_TEXT: Final = 70_000  # more than WhatsApp takes
_PERSON: Final = re.compile(r"[1-9][0-9]{6,14}")
_WHOLE: Final = re.compile(r"-?[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Piece:
    """One event. ``session`` is Meta's id of the number or, for what concerns an account, of that. ``type`` and ``data``:

    ``receipt``: message_id, key, status, error and, for *failed*, with error as one of domain.failures: provider_code,
    reason, retryable, retry_after_s, opts_out. ``inbound``: message_id, from (E.164), name, kind, text, media.
    ``preference``: phone (E.164), category, value, detail. ``account``: scope (``number`` or ``business``), kind (Meta's
    name of the field) and value, as Meta gives it. ``unread``: text.
    """

    event_id: str
    session: str
    type: str
    at: datetime
    data: dict[str, Any]


def piece_of(source: Any, type: str, session: str, at: datetime, data: dict[str, Any]) -> Piece:
    """A piece whose id follows from ``source``: what Meta repeats is the same event. Raises RecursionError for a source that
    is nested too deeply."""
    written = json.dumps([type, session, source], sort_keys=True, separators=(",", ":"))
    return Piece(f"cloud:{hashlib.sha256(written.encode()).hexdigest()}", session, type, at, data)


def unread(source: Any, session: str, at: datetime) -> Piece:
    """A piece that we do not understand, kept as it is."""
    return piece_of(source, "unread", session, at, {"text": json.dumps(source, ensure_ascii=False)})


def inside(value: Any, *names: str) -> Any:
    """What stands in an object under these names, one within the other; None when it does not."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def name_in(value: Any, *names: str) -> str | None:
    """An id or key: text, or a whole number as text; None for anything else, and for what is empty or very long."""
    found = inside(value, *names)
    if isinstance(found, int) and not isinstance(found, bool) and abs(found) < 10**30:
        found = str(found)
    return found if isinstance(found, str) and 0 < len(found) <= _LONGEST_NAME else None


def text_in(value: Any, *names: str) -> str | None:
    """Words for a person; None when there are none."""
    found = inside(value, *names)
    return found[:_LONGEST_TEXT] if isinstance(found, str) and found else None


def whole_in(value: Any, *names: str) -> int | None:
    """A whole number of at most nine digits, also when it comes as text."""
    found = inside(value, *names)
    if isinstance(found, bool) or not isinstance(found, int | str) or not _WHOLE.fullmatch(str(found)[:12]):
        return None
    return int(found)


def phone_in(value: Any, *names: str) -> str | None:
    """A person's number in E.164, which Meta writes without +."""
    found = inside(value, *names)
    return f"+{found}" if isinstance(found, str) and _PERSON.fullmatch(found) else None


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; empty when it is none."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
