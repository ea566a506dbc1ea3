"""What makes two launches the same launch (R3)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime


def content_hash(
    people: Iterable[tuple[str, Mapping[str, str]]],
    *,
    message: str,
    media: str | None = None,
    scheduled_at: datetime | None = None,
    template: Mapping[str, object] | None = None,
) -> str:
    """64 hexadecimal digits that are equal for equal content, whatever the order of the people.

    ``people`` are (E.164 number, variables), ``media`` is the digest of the file that goes with the message, ``template``
    what a template of Meta's is chosen by and filled with, as JSON values.
    Each part is one line of canonical JSON, in which a line break cannot occur, so no part can run into the next.
    Raises ValueError for a ``scheduled_at`` without a time zone.
    """
    if scheduled_at is not None and scheduled_at.tzinfo is None:
        raise ValueError("scheduled_at needs a time zone")
    due = scheduled_at and scheduled_at.astimezone(UTC).isoformat(timespec="microseconds")
    digest = hashlib.sha256()
    what: dict[str, object] = {"message": message, "media": media, "scheduled_at": due}
    # Not where there is none: a message without a template has the hash that it always had.
    digest.update(_line(what if template is None else {**what, "template": template}))
    for line in sorted(_line([phone, dict(variables)]) for phone, variables in people):
        digest.update(line)
    return digest.hexdigest()


def _line(part: object) -> bytes:
    return json.dumps(part, sort_keys=True, separators=(",", ":")).encode() + b"\n"
