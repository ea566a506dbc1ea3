"""Before the processes start: which kind of phones our bridge serves, and the demo's phones when they are simulated."""

from __future__ import annotations

import sys

from sqlalchemy import Connection, text

import settings as environment
from bridge.directory import DEFAULT
from db.engine import connect_once, run
from services import workspaces
from services.add_device import NewDevice, add_device

DEVICES = 6


def serve(db: Connection, provider: str) -> None:
    """Our bridge may be another than in the run before: what is of the old one's kind rests from the first moment on."""
    db.execute(
        text(
            "INSERT INTO bridges (address, provider) VALUES (:address, :provider)"
            " ON CONFLICT (address) DO UPDATE SET provider = :provider"
        ),
        {"address": DEFAULT, "provider": provider},
    )
    db.execute(
        text(
            "UPDATE devices SET can_send = false, connected = false, state = 'wrong_bridge', error_code = 'wrong_bridge'"
            " WHERE bridge_address = :address AND provider <> :provider"
        ),
        {"address": DEFAULT, "provider": provider},
    )


def seed(db: Connection, *, default_country: str, time_zone: str) -> bool:
    """Make the demo's workspace and phones, once, so that what the user deletes stays deleted. Whether they were made."""
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
    engine = connect_once(environment.given(settings, "database_url"), name="seed")
    run(engine, lambda db: serve(db, settings.bridge))
    print(f"fanfare: the bridge is {settings.bridge}")
    if settings.bridge == "simulator":
        made = run(engine, lambda db: seed(db, default_country=settings.default_country, time_zone=settings.time_zone))
        print(f"fanfare: {'made' if made else 'kept'} the demo workspace")
    return 0


if __name__ == "__main__":
    sys.exit(main())
