"""The workspace: one for now, made when it is first asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class Workspace:
    id: int
    name: str
    default_country: str
    time_zone: str
    sending_stopped_at: datetime | None


def first(db: Connection, *, default_country: str, time_zone: str, name: str = "Fanfare") -> Workspace:
    """The oldest workspace; when there is none it is made, once, with these settings."""
    row = _oldest(db)
    if row is None:
        db.execute(
            text(
                "INSERT INTO workspaces (name, default_country, time_zone) VALUES (:name, :country, :time_zone)"
                " ON CONFLICT (name) DO NOTHING"
            ),
            {"name": name, "country": default_country, "time_zone": time_zone},
        )
        row = _oldest(db)
    if row is None:
        raise RuntimeError("the workspace that was just made is not there")
    return row


def _oldest(db: Connection) -> Workspace | None:
    row = (
        db.execute(
            text("SELECT id, name, default_country, time_zone, sending_stopped_at FROM workspaces ORDER BY id LIMIT 1")
        )
        .mappings()
        .one_or_none()
    )
    return None if row is None else Workspace(**row)
