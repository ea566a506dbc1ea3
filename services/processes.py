"""Who runs: every worker and dispatcher says every few seconds, by the database's clock, that it is there."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache

from sqlalchemy import Connection, text

from settings import ROOT

EVERY_S = 5.0
ALIVE_S = 15.0  # seen within this long: alive
FORGOTTEN_S = 300.0


@dataclass(frozen=True, slots=True)
class Process:
    """``id`` is ``host:pid``, as in ``processing_worker_id``; ``kind`` is ``worker`` or ``dispatcher``."""

    id: str
    kind: str
    threads: int


def report(db: Connection, process: Process, *, leads: bool, first: bool) -> None:
    """It is there. ``first``: it has not said so before, and a row with its id is that of one which ended without a word.

    Those that have not been seen for long are forgotten.
    """
    db.execute(
        text(
            "INSERT INTO processes AS p (id, kind, version, threads, leads)"
            " VALUES (:id, :kind, :version, :threads, :leads)"
            " ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, version = excluded.version,"
            "   threads = excluded.threads, leads = excluded.leads, seen_at = excluded.seen_at,"
            "   started_at = CASE WHEN :first THEN excluded.started_at ELSE p.started_at END"
        ),
        {
            "id": process.id,
            "kind": process.kind,
            "version": version(),
            "threads": process.threads,
            "leads": leads,
            "first": first,
        },
    )
    db.execute(
        text("DELETE FROM processes WHERE seen_at < clock_timestamp() - make_interval(secs => :forgotten_s)"),
        {"forgotten_s": FORGOTTEN_S},
    )


def leave(db: Connection, process_id: str) -> None:
    """It ends properly."""
    db.execute(text("DELETE FROM processes WHERE id = :id"), {"id": process_id})


@cache
def version() -> str:
    """The release of Fanfare that this process runs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])
