"""The demo workspace and its devices: made once, so that what the user deletes stays deleted."""

from __future__ import annotations

import sys

from sqlalchemy import Connection, text

import settings as environment
from db.engine import connect_once, run
from domain.pacing import DEFAULTS
from services import workspaces

DEVICES = 6


def seed(db: Connection, *, default_country: str, time_zone: str) -> bool:
    """Returns whether anything was made."""
    made = db.execute(
        text("INSERT INTO marks (name, at) VALUES ('demo', clock_timestamp()) ON CONFLICT DO NOTHING")
    ).rowcount
    if not made:
        return False
    workspace = workspaces.first(db, default_country=default_country, time_zone=time_zone, name="Demo")
    pace = DEFAULTS["simulator"]
    db.execute(
        text(
            "INSERT INTO devices (workspace_id, name, provider, session, min_gap_s, max_gap_s, in_flight_limit)"
            " SELECT :workspace_id, 'Demo phone ' || n, 'simulator', 'demo-' || n, :min_gap_s, :max_gap_s, :in_flight"
            " FROM generate_series(1, :devices) n ORDER BY n"
        ),
        {
            "workspace_id": workspace.id,
            "min_gap_s": pace.min_gap_s,
            "max_gap_s": pace.max_gap_s,
            "in_flight": pace.in_flight,
            "devices": DEVICES,
        },
    )
    return True


def main() -> int:
    settings = environment.load("database_url")
    made = run(
        connect_once(settings.database_url or "", name="seed"),
        lambda db: seed(db, default_country=settings.default_country, time_zone=settings.time_zone),
    )
    print(f"fanfare: {'made' if made else 'kept'} the demo workspace")
    return 0


if __name__ == "__main__":
    sys.exit(main())
