"""A message to one person from one device, outside any campaign."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from domain import failures, phone
from services import wake
from services.refused import Refused


@dataclass(frozen=True, slots=True)
class Queued:
    """A message that waits to be sent."""

    id: int
    status: str


def send(db: Connection, workspace_id: int, *, device_id: int, number: str, body: str, default_country: str) -> Queued:
    """Queue a single send; it goes before all campaigns of its device.

    Raises Refused: INVALID_PHONE, UNKNOWN_DEVICE or SUPPRESSED.
    """
    e164 = checked_number(number, default_country)
    suppressed = db.execute(
        text("SELECT reason, created_at FROM suppressions WHERE workspace_id = :workspace_id AND phone = :phone"),
        {"workspace_id": workspace_id, "phone": e164},
    ).one_or_none()
    if suppressed is not None:
        raise Refused(
            "SUPPRESSED",
            "This person is on the never-send list.",
            {"field": "phone", "reason": suppressed.reason, "since": suppressed.created_at.isoformat()},
        )
    row = db.execute(
        text(
            "INSERT INTO messages (workspace_id, device_id, origin, priority, phone, text, stalled_base_s)"
            " SELECT workspace_id, id, 'single', 1, :phone, :body, stalled_s FROM devices"
            " WHERE id = :device_id AND workspace_id = :workspace_id FOR KEY SHARE RETURNING id, status"
        ),
        {"workspace_id": workspace_id, "device_id": device_id, "phone": e164, "body": body},
    ).one_or_none()
    if row is None:
        raise Refused("UNKNOWN_DEVICE", "There is no device {id}.", {"field": "device_id"}, id=device_id)
    wake.dispatcher(db)
    return Queued(row.id, row.status)


def checked_number(number: str, default_country: str) -> str:
    """A typed number as E.164. Raises Refused, INVALID_PHONE, with the reason's code in ``details``."""
    found = phone.parse(number, default_country)
    if isinstance(found, phone.Rejected):
        raise Refused(
            "INVALID_PHONE",
            "{meaning}.",
            {"field": "phone", "reason": found.reason},
            meaning=failures.lookup(found.reason).reason,
        )
    return found.e164
