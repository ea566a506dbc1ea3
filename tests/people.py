"""People and devices for tests."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

from domain.people import Person, recipients
from services import workspaces
from services.launch import Launched, launch
from services.launch_request import Launch


def phones(count: int, start: int = 0) -> list[str]:
    """Valid numbers, none of which has a behaviour of its own in the simulator."""
    return [f"+97250{1_000_000 + start + number}" for number in range(count)]


def workspace(db: Connection) -> int:
    return workspaces.first(db, default_country="IL", time_zone="UTC").id


def add_devices(
    db: Connection,
    count: int,
    *,
    gap_s: float = 0.0,
    max_gap_s: float | None = None,
    can_send: bool = True,
    name: str = "device",
) -> list[int]:
    """Devices of the default bridge, as a health check would have left them."""
    return list(
        db.execute(
            text(
                "INSERT INTO devices (workspace_id, name, provider, session, min_gap_s, max_gap_s, can_send, connected,"
                " state, next_check_at)"
                " SELECT :workspace_id, :name || n, 'simulator', :name || n, :gap, :max_gap, :can_send, :can_send,"
                " CASE WHEN :can_send THEN 'open' ELSE 'new' END, 'infinity'"
                " FROM generate_series(1, :count) n ORDER BY n RETURNING id"
            ),
            {
                "workspace_id": workspace(db),
                "name": name,
                "gap": gap_s,
                "max_gap": gap_s if max_gap_s is None else max_gap_s,
                "can_send": can_send,
                "count": count,
            },
        ).scalars()
    )


def launch_to(db: Connection, numbers: Sequence[str], *, message: str = "Hello", **more: object) -> Launched:
    """Launch to these numbers, which must be good."""
    people = [person for person in recipients(list(numbers), "IL") if isinstance(person, Person)]
    assert len(people) == len(numbers)
    return launch(db, Launch(workspace(db), message, people, **more))  # type: ignore[arg-type]
