"""Cancel what waits on one device, before the device is deleted (R24)."""

from __future__ import annotations

from sqlalchemy import Connection, text

from services import audit
from services.change_device import not_found


def cancel_waiting(db: Connection, workspace_id: int, device_id: int, *, who: str) -> int:
    """Nobody who waits here is sent to; returns how many. What is in flight goes on. Raises Refused, NOT_FOUND."""
    found = db.execute(
        text("SELECT id FROM devices WHERE id = :id AND workspace_id = :workspace_id"),
        {"id": device_id, "workspace_id": workspace_id},
    ).one_or_none()
    if found is None:
        raise not_found(device_id)
    cancelled = db.execute(
        text(
            "UPDATE messages SET status = 'cancelled', error_code = 'cancelled', error_reason = NULL"
            " WHERE device_id = :id AND status = 'queued'"
        ),
        {"id": device_id},
    ).rowcount
    if cancelled:
        audit.write(db, workspace_id, who, "cancel_waiting", f"device:{device_id}", {"cancelled": cancelled})
    return cancelled
