"""Files that go out with messages, kept in the database once for each content and name, and what they are called at Meta."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from bridge.protocol import File
from domain import media
from domain.media import Kind, NotTaken
from services.refused import Refused

# Meta keeps an upload for 30 days; a day is left to what waits to be sent.
UPLOAD_KEPT_DAYS = 29


@dataclass(frozen=True, slots=True)
class Described:
    """A file without its content; ``size`` in bytes."""

    id: int
    kind: Kind
    mimetype: str
    filename: str
    size: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A file as it goes out."""

    id: int
    kind: Kind
    mimetype: str
    filename: str
    content: bytes = field(repr=False)


def keep(db: Connection, workspace_id: int, filename: str, mimetype: str, content: bytes) -> int:
    """Keep a file; returns its id, the same for the same content and name. What it is, its first bytes tell; ``mimetype`` is
    what the sender says, and counts only where those leave it open.

    Raises Refused: EMPTY_FILE, UNSUPPORTED_MEDIA, or TOO_LARGE with ``limit_bytes``.
    """
    found = media.judged(content, filename, mimetype)
    if isinstance(found, NotTaken):
        raise _refused(found)
    values = {
        "workspace_id": workspace_id,
        "digest": hashlib.sha256(content).hexdigest(),
        "filename": found.filename,
    }
    kept = _id(db, values)
    if kept is not None:
        return kept
    made = db.execute(
        text(
            "INSERT INTO media (workspace_id, digest, mimetype, filename, content)"
            " VALUES (:workspace_id, :digest, :mimetype, :filename, :content) ON CONFLICT DO NOTHING RETURNING id"
        ),
        {**values, "mimetype": found.mimetype, "content": content},
    ).scalar_one_or_none()
    kept = made or _id(db, values)  # somebody else may have kept it meanwhile
    if kept is None:
        raise RuntimeError("the file that was just kept is not there")
    return int(kept)


def one(db: Connection, media_id: int) -> Kept | None:
    """A file with its content, or None."""
    row = db.execute(
        text("SELECT id, mimetype, filename, content FROM media WHERE id = :id"), {"id": media_id}
    ).one_or_none()
    if row is None:
        return None
    return Kept(row.id, media.kind_of(row.mimetype), row.mimetype, row.filename, bytes(row.content))


def described(db: Connection, workspace_id: int, media_id: int) -> Described | None:
    """A file of a workspace, or None."""
    row = db.execute(
        text(
            "SELECT id, mimetype, filename, octet_length(content) AS size FROM media"
            " WHERE id = :id AND workspace_id = :workspace_id"
        ),
        {"id": media_id, "workspace_id": workspace_id},
    ).one_or_none()
    if row is None:
        return None
    return Described(row.id, media.kind_of(row.mimetype), row.mimetype, row.filename, row.size)


def uploaded(db: Connection, media_id: int, device_id: int) -> File | None:
    """A file that this device has uploaded, by Meta's id of it and without its content, as long as Meta surely has it."""
    row = db.execute(
        text(
            "SELECT m.mimetype, m.filename, u.provider_media_id FROM media_uploads u JOIN media m ON m.id = u.media_id"
            " WHERE u.media_id = :media_id AND u.device_id = :device_id"
            " AND u.uploaded_at > clock_timestamp() - make_interval(days => :days)"
        ),
        {"media_id": media_id, "device_id": device_id, "days": UPLOAD_KEPT_DAYS},
    ).one_or_none()
    return None if row is None else File(row.mimetype, row.filename, uploaded=row.provider_media_id)


def uploaded_as(db: Connection, media_id: int, device_id: int, provider_media_id: str) -> None:
    """This device has uploaded the file now, and Meta has given it this id."""
    db.execute(
        text(
            "INSERT INTO media_uploads (media_id, device_id, provider_media_id)"
            " VALUES (:media_id, :device_id, :provider_media_id)"
            " ON CONFLICT (media_id, device_id) DO UPDATE SET"
            "   provider_media_id = excluded.provider_media_id, uploaded_at = clock_timestamp()"
        ),
        {"media_id": media_id, "device_id": device_id, "provider_media_id": provider_media_id},
    )


def _id(db: Connection, values: dict[str, object]) -> int | None:
    return db.execute(
        text("SELECT id FROM media WHERE workspace_id = :workspace_id AND digest = :digest AND filename = :filename"),
        values,
    ).scalar_one_or_none()


def _refused(found: NotTaken) -> Refused:
    if found.reason == "empty":
        return Refused("EMPTY_FILE", "The file is empty.", {"field": "file"})
    if found.reason == "unsupported":
        return Refused(
            "UNSUPPORTED_MEDIA",
            "WhatsApp does not take this kind of file. It takes {taken}.",
            {"field": "file"},
            taken=media.TAKEN,
        )
    return Refused(
        "TOO_LARGE",
        "The file is too large: at most {limit} MB are taken of this kind.",
        {"field": "file", "limit_bytes": found.limit},
        limit=found.limit // media.MB,
    )
