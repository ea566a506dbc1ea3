"""Move what waits on one device to others that can send, before the device is deleted or while it cannot send (R24)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from services import audit, devices, distribute, wake
from services.change_device import not_found
from services.devices import Candidate
from services.refused import Refused


@dataclass(frozen=True, slots=True)
class Moved:
    """How many messages moved. ``left`` wait on: an earlier attempt of theirs is not proven not sent, or no other device can
    send them, or what they say."""

    moved: int
    left: int


def move_waiting(db: Connection, workspace_id: int, device_id: int, *, who: str) -> Moved:
    """Only what was never attempted or is proven not sent moves.

    A campaign's messages go to its other devices that can send. When none of them can, and for messages of no campaign,
    to those of the same provider that can: a message to a real person never ends on a simulated phone. A template of Meta's
    goes only where it is approved, and free text of an official number only to one with an open window.

    Raises Refused: NOT_FOUND; NOT_POSSIBLE when something waits and nothing of it can move.
    """
    device = db.execute(
        text("SELECT provider FROM devices WHERE id = :id AND workspace_id = :workspace_id"),
        {"id": device_id, "workspace_id": workspace_id},
    ).one_or_none()
    if device is None:
        raise not_found(device_id)
    alike = _alike(db, workspace_id, device_id, device.provider)
    moved = sum(_move(db, device_id, campaign_id, alike) for campaign_id in _campaigns_that_wait(db, device_id))
    left = int(
        db.execute(
            text("SELECT count(*) FROM messages WHERE device_id = :id AND status = 'queued'"), {"id": device_id}
        ).scalar_one()
    )
    if left and not moved:
        raise Refused(
            "NOT_POSSIBLE",
            "Nothing can move: no other phone can send these messages now, or they may have been sent already.",
            {"left": left},
        )
    if moved:
        audit.write(db, workspace_id, who, "move_waiting", f"device:{device_id}", {"moved": moved, "left": left})
        wake.dispatcher(db)
    return Moved(moved, left)


def _alike(db: Connection, workspace_id: int, device_id: int, provider: str) -> list[Candidate]:
    """The other devices of a provider that can send."""
    ids = db.execute(
        text("SELECT id FROM devices WHERE workspace_id = :workspace_id AND provider = :provider AND id <> :id"),
        {"workspace_id": workspace_id, "provider": provider, "id": device_id},
    ).scalars()
    return [device for device in devices.for_launch(db, workspace_id, list(ids)) if device.ready]


def _campaigns_that_wait(db: Connection, device_id: int) -> list[int | None]:
    """The campaigns of what waits here, None for messages of none. They are locked in the order of their ids, as a hand-over
    locks them, so that nothing is cancelled or handed over meanwhile."""
    ids = list(
        db.execute(
            text("SELECT DISTINCT campaign_id FROM messages WHERE device_id = :id AND status = 'queued'"),
            {"id": device_id},
        ).scalars()
    )
    db.execute(text("SELECT id FROM campaigns WHERE id = ANY(:ids) ORDER BY id FOR UPDATE"), {"ids": ids})
    return ids


def _move(db: Connection, device_id: int, campaign_id: int | None, alike: list[Candidate]) -> int:
    waiting = list(
        db.execute(
            text(
                "SELECT id FROM messages WHERE device_id = :device_id AND campaign_id IS NOT DISTINCT FROM :campaign_id"
                " AND status = 'queued' AND (attempt = 0 OR NOT has_unproven_attempt(id)) ORDER BY id"
            ),
            {"device_id": device_id, "campaign_id": campaign_id},
        ).scalars()
    )
    if campaign_id is None:
        return distribute.move(db, waiting, alike).count
    own = [device for device in devices.of_campaign(db, campaign_id) if device.ready and device.id != device_id]
    moved = distribute.move(db, waiting, own or alike).count
    if moved and not own:
        # A device sends only for the campaigns that it belongs to.
        db.execute(
            text(
                "INSERT INTO campaign_devices (campaign_id, device_id, active)"
                " SELECT DISTINCT c.id, m.device_id, c.status IN ('queued', 'running')"
                " FROM campaigns c JOIN messages m ON m.campaign_id = c.id AND m.id = ANY(:ids)"
                "   AND m.device_id <> :device_id WHERE c.id = :campaign_id"
                " ON CONFLICT (campaign_id, device_id) DO UPDATE SET out_at = NULL, out_code = NULL"
            ),
            {"campaign_id": campaign_id, "device_id": device_id, "ids": waiting},
        )
    return moved
