"""The demo workspace and its devices: made once, so that what the user deletes stays deleted."""

from __future__ import annotations

import sys

from sqlalchemy import Connection, text

import settings as environment
from bridge.directory import DEFAULT
from db.engine import connect_once, run
from services import workspaces
from services.add_device import NewDevice, add_device

DEVICES = 6


def seed(db: Connection, *, default_country: str, time_zone: str) -> bool:
    """Returns whether anything was made."""
    made = db.execute(
        text("INSERT INTO marks (name, at) VALUES ('demo', clock_timestamp()) ON CONFLICT DO NOTHING")
    ).rowcount
    if not made:
        return False
    workspace = workspaces.first(db, default_country=default_country, time_zone=time_zone, name="Demo")
    for number in range(1, DEVICES + 1):
        device = NewDevice(
            workspace_id=workspace.id,
            name=f"Demo phone {number}",
            provider="simulator",
            session=f"demo-{number}",
            bridge_address=DEFAULT,
            phone=None,
            min_gap_s=None,
            daily_cap=None,
        )
        add_device(db, device, who="make up")
    return True


def main() -> int:
    settings = environment.load("database_url")
    made = run(
        connect_once(environment.given(settings, "database_url"), name="seed"),
        lambda db: seed(db, default_country=settings.default_country, time_zone=settings.time_zone),
    )
    print(f"fanfare: {'made' if made else 'kept'} the demo workspace")
    return 0


if __name__ == "__main__":
    sys.exit(main())
