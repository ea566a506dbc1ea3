"""The file of a draft: kept as it was uploaded, and read again whenever somebody says how it is to be read.

A file that cannot be read is kept with its fault, so that saying its encoding or its column is enough.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Connection, text

from db.queries import query
from domain.csv_rows import CsvRefused, read_csv
from domain.limits import LONGEST_TITLE
from domain.people import Person, RejectedRow, apart, name_header, people, phone_header
from domain.text import made_storable
from services import audit, drafts
from services.copy_rows import copy_rows
from services.refused import Refused
from services.rejected import copy_rejected

LARGEST_MB = 50
SHOWN_ROWS = 5
BEGINNING = 600  # bytes of which a person can tell which encoding is the right one
_SHOWN_CELL = 80  # characters of a cell among the first rows


@dataclass(frozen=True, slots=True)
class How:
    """How a file is to be read; None: found by itself. The values are those of ``read_csv`` and ``people``."""

    encoding: str | None = None
    delimiter: str | None = None
    phone_column: str | None = None
    name_column: str | None = None


@dataclass(frozen=True, slots=True)
class FileRead:
    """What came of reading a file. ``found`` is for the person: ``headers``, the first ``rows``, ``row_count``,
    ``encoding``, ``delimiter``, ``phone_column`` and ``name_column`` as used, and ``fault`` with its code, text and
    values (as domain.refusal.Refusal has them) when nobody could be found in it."""

    how: How
    found: dict[str, Any]
    people: Sequence[Person] = ()
    rejected: Sequence[RejectedRow] = ()


@dataclass(frozen=True, slots=True)
class DraftFile:
    """The file as the people step shows it; ``beginning`` are its first bytes, ``found`` is that of FileRead."""

    name: str
    size: int
    beginning: bytes
    how: How
    found: dict[str, Any]


def read(content: bytes, how: How, country: str) -> FileRead:
    """Read a file; no transaction is needed. Raises Refused, TOO_LARGE."""
    if len(content) > LARGEST_MB * 1024 * 1024:
        raise Refused(
            "TOO_LARGE", "The file is larger than {size} MB: split it in two.", {"field": "file"}, size=LARGEST_MB
        )
    found: dict[str, Any] = {}
    try:
        file = read_csv(content, encoding=how.encoding, delimiter=how.delimiter)
        found = {
            "headers": list(file.headers),
            "rows": [[cell[:_SHOWN_CELL] for cell in row.cells] for row in islice(file.rows(), SHOWN_ROWS)],
            "row_count": file.row_count,
            "encoding": file.encoding,
            "delimiter": file.delimiter,
        }
        found["phone_column"] = phone_header(file, how.phone_column)
        found["name_column"] = name_header(file, how.name_column)
        good, rejected = apart(people(file, country, phone_column=how.phone_column, name_column=how.name_column))
        return FileRead(how, found, good, rejected)
    except CsvRefused as fault:
        found["fault"] = {"code": fault.code, "text": fault.text, "values": fault.values}
        return FileRead(how, made_storable(found))


def keep(
    db: Connection, workspace_id: int, draft_id: int, name: str, content: bytes, file_read: FileRead, *, who: str
) -> None:
    """Keep an uploaded file and what was read from it, in the place of the draft's file and people.

    Raises Refused, NOT_FOUND or NOT_POSSIBLE.
    """
    drafts.locked(db, workspace_id, draft_id)
    db.execute(text("DELETE FROM draft_files WHERE campaign_id = :id"), {"id": draft_id})
    db.execute(
        text(
            "INSERT INTO draft_files (campaign_id, name, content, encoding, delimiter, phone_column, name_column, found)"
            " VALUES (:id, :name, :content, :encoding, :delimiter, :phone_column, :name_column, CAST(:found AS jsonb))"
        ),
        {"id": draft_id, "name": name[:LONGEST_TITLE], "content": content, **_reading(file_read)},
    )
    _replace_people(db, draft_id, file_read)
    counts = {"file": name, "people": len(file_read.people), "rejected": len(file_read.rejected)}
    audit.write(db, workspace_id, who, "upload", f"campaign:{draft_id}", counts)


def read_otherwise(db: Connection, workspace_id: int, draft_id: int, content: bytes, file_read: FileRead) -> None:
    """The same file, read in another way. Raises Refused: NOT_FOUND, or NOT_POSSIBLE when it is not this file any more."""
    drafts.locked(db, workspace_id, draft_id)
    same = db.execute(
        text(
            "UPDATE draft_files SET encoding = :encoding, delimiter = :delimiter, phone_column = :phone_column,"
            " name_column = :name_column, found = CAST(:found AS jsonb)"
            " WHERE campaign_id = :id AND sha256(content) = :digest"
        ),
        {"id": draft_id, "digest": hashlib.sha256(content).digest(), **_reading(file_read)},
    ).rowcount
    if not same:
        raise Refused("NOT_POSSIBLE", "Somebody has uploaded another file meanwhile.")
    _replace_people(db, draft_id, file_read)


def one(db: Connection, workspace_id: int, draft_id: int) -> DraftFile | None:
    """The file of a draft, without most of its content; None when nothing was uploaded."""
    row = db.execute(
        query("draft_file"), {"id": draft_id, "workspace_id": workspace_id, "beginning": BEGINNING}
    ).one_or_none()
    if row is None:
        return None
    how = How(row.encoding, row.delimiter, row.phone_column, row.name_column)
    return DraftFile(row.name, row.size, bytes(row.beginning), how, row.found)


def content(db: Connection, workspace_id: int, draft_id: int) -> bytes:
    """The bytes of a draft's file. Raises Refused, NOT_FOUND."""
    found = db.execute(
        text(
            "SELECT f.content FROM draft_files f JOIN campaigns c ON c.id = f.campaign_id"
            " WHERE c.id = :id AND c.workspace_id = :workspace_id AND c.status = 'draft'"
        ),
        {"id": draft_id, "workspace_id": workspace_id},
    ).scalar_one_or_none()
    if found is None:
        raise Refused("NOT_FOUND", "This draft has no file any more.")
    return bytes(found)


def _reading(file_read: FileRead) -> dict[str, object]:
    return {**asdict(file_read.how), "found": json.dumps(file_read.found)}


def _replace_people(db: Connection, draft_id: int, file_read: FileRead) -> None:
    db.execute(text("DELETE FROM draft_people WHERE campaign_id = :id"), {"id": draft_id})
    db.execute(text("DELETE FROM rejected_rows WHERE campaign_id = :id"), {"id": draft_id})
    copy_rows(
        db,
        "draft_people",
        ("campaign_id", "row", "phone", "name", "variables", "warning"),
        ((draft_id, who.row, who.phone, who.name or None, who.variables, who.warning) for who in file_read.people),
    )
    copy_rejected(db, draft_id, file_read.rejected)
    db.execute(
        text(
            "UPDATE campaigns SET headers = CAST(:headers AS jsonb), phone_header = :phone_header,"
            " edited_at = clock_timestamp() WHERE id = :id"
        ),
        {
            "id": draft_id,
            "headers": json.dumps(file_read.found.get("headers", [])),
            "phone_header": file_read.found.get("phone_column"),
        },
    )
