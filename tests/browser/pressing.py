"""A launch held at a moment of its way, and what has become of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fleet import Fleet
from sqlalchemy import text
from waiting import until

CAMPAIGN = "SELECT 1 FROM campaigns WHERE id = :id FOR UPDATE"
PHONES = "SELECT 1 FROM bridges FOR UPDATE"


@contextmanager
def held(fleet: Fleet, rows: str, draft_id: int) -> Iterator[None]:
    """Inside, whoever wants these rows waits: of the campaign that is written, or of the bridge that was asked before."""
    with fleet.engine.begin() as db:
        db.execute(text(rows), {"id": draft_id})
        yield


def until_waiting(fleet: Fleet, count: int = 1) -> None:
    """Wait until so many transactions of the console wait for what is held."""
    statement = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name LIKE '%console%' AND wait_event_type = 'Lock'"
    )
    until(lambda: fleet.one(statement) >= count, f"{count} launches are on their way")


def people_of(fleet: Fleet, draft_id: int) -> tuple[str, int, int]:
    """How it stands: its status, how many people it has as a draft, and how many as a campaign."""
    [row] = fleet.rows(
        "SELECT status, (SELECT count(*) FROM draft_people p WHERE p.campaign_id = c.id),"
        " (SELECT count(*) FROM messages m WHERE m.campaign_id = c.id) FROM campaigns c WHERE id = :id",
        id=draft_id,
    )
    return tuple(row)
