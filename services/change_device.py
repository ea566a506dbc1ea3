"""Change a device's name, pace and caps; ask for a look at it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, text

from db.queries import query
from services import audit, health, wake
from services.refused import Refused

CHANGEABLE = ("name", "min_gap_s", "daily_cap", "hourly_cap")


def change_device(db: Connection, workspace_id: int, device_id: int, changes: Mapping[str, Any], *, who: str) -> None:
    """Set those of CHANGEABLE that ``changes`` names; a cap of None is no cap. A cap counts at once, also one that was
    reached or is reached by now.

    Raises Refused, NOT_FOUND.
    """
    values = {name: changes.get(name) for name in CHANGEABLE}
    changed = db.execute(
        query("change_device"),
        {"id": device_id, "workspace_id": workspace_id, "named": list(changes), **values},
    ).scalar_one_or_none()
    if changed is None:
        raise not_found(device_id)
    audit.write(db, workspace_id, who, "change_device", f"device:{device_id}", changes)
    wake.dispatcher(db)


def look_soon(db: Connection, device_id: int) -> None:
    """Something was done to its session: let its health be asked for now."""
    session = db.execute(text("SELECT session FROM devices WHERE id = :id"), {"id": device_id}).scalar_one_or_none()
    if session is not None:
        health.look_soon(db, [session])
    wake.dispatcher(db)


def session_of(db: Connection, workspace_id: int, device_id: int) -> tuple[str, str]:
    """(bridge address, session) of a device. Raises Refused: NOT_FOUND; WRONG_BRIDGE when its bridge serves another kind."""
    row = db.execute(
        text(
            "SELECT d.bridge_address, d.session, d.provider, coalesce(b.provider, d.provider) AS served FROM devices d"
            " JOIN bridges b ON b.address = d.bridge_address WHERE d.id = :id AND d.workspace_id = :workspace_id"
        ),
        {"id": device_id, "workspace_id": workspace_id},
    ).one_or_none()
    if row is None:
        raise not_found(device_id)
    if row.provider != row.served:
        raise wrong_bridge(row.provider, row.served)
    return row.bridge_address, row.session


def wrong_bridge(provider: str, served: str) -> Refused:
    return Refused(
        "WRONG_BRIDGE",
        "This phone is of the kind {provider}, and the bridge that runs serves phones of the kind {served}.",
        {"provider": provider, "served": served},
        provider=provider,
        served=served,
    )


def not_found(device_id: int) -> Refused:
    return Refused("NOT_FOUND", "There is no device {id}.", id=device_id)
