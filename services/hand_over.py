"""Take a device that failed three times or is parked out of its campaigns, give its waiting messages to others, and let it
back in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, text

from db.queries import query
from services import devices, distribute, trouble, wake
from services.conversations import OPEN_S


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What became of one device in one campaign. ``paused``: nobody was left to take over."""

    campaign_id: int
    device_id: int
    moved: int
    paused: bool


def struck_campaigns(db: Connection) -> list[int]:
    """The open campaigns that a device has to leave, or where one that left still has messages that another can send."""
    return sorted({row.campaign_id for row in _struck(db, None)})


def hand_over(db: Connection, campaign_id: int) -> list[HandedOver]:
    """Every device with three strikes leaves this campaign.

    Its messages that were never attempted or are proven not sent go to the campaign's devices that can send them; when none
    can send, the campaign pauses with ``no_device``. A device whose bridge is away is not struck: that is no error of its
    own. A device that is out is looked at again when it has queued messages and another can send: what it had in flight was
    proven since, somebody retried, or the others came back first. A message in doubt that a person had queued again
    cannot go to another device, so it is in doubt again.
    """
    db.execute(text("SELECT id FROM campaigns WHERE id = :id FOR UPDATE"), {"id": campaign_id})
    done = (_one(db, row.campaign_id, row.device_id, row.error_code) for row in _struck(db, campaign_id))
    return [one for one in done if one is not None]


def _struck(db: Connection, campaign_id: int | None) -> Sequence[Row[Any]]:
    values = {"out": trouble.STRIKES_OUT, "campaign_id": campaign_id, "open_s": OPEN_S}
    return db.execute(query("struck"), values).all()


def _one(db: Connection, campaign_id: int, device_id: int, code: str | None) -> HandedOver | None:
    # It may have come back since it was found; from here on a look that finds it back (services/health.py) waits for us,
    # and then lets it in again.
    back = db.execute(text("SELECT can_send FROM devices WHERE id = :id FOR SHARE"), {"id": device_id}).scalar_one()
    if back:
        return None
    db.execute(
        text(
            "UPDATE campaign_devices SET out_at = clock_timestamp(), out_code = :code"
            " WHERE campaign_id = :campaign_id AND device_id = :device_id AND out_at IS NULL"
        ),
        {"campaign_id": campaign_id, "device_id": device_id, "code": code},
    )
    others = devices.of_campaign(db, campaign_id)
    able = [device for device in others if device.ready]
    waiting = list(
        db.execute(
            text(
                "SELECT id FROM messages WHERE campaign_id = :campaign_id AND device_id = :device_id"
                " AND status = 'queued' AND (attempt = 0 OR NOT has_unproven_attempt(id)) ORDER BY id"
            ),
            {"campaign_id": campaign_id, "device_id": device_id},
        ).scalars()
    )
    moved = distribute.move(db, waiting, able).count
    db.execute(
        text(
            "UPDATE messages SET status = 'unknown', error_code = 'outcome_unknown', error_reason = NULL"
            " WHERE campaign_id = :campaign_id AND device_id = :device_id AND status = 'queued' AND attempt > 0"
            " AND has_unproven_attempt(id)"
        ),
        {"campaign_id": campaign_id, "device_id": device_id},
    )
    paused = not any(device.may_send for device in others) and _pause(db, campaign_id)
    if moved:
        wake.dispatcher(db)
    return HandedOver(campaign_id, device_id, moved, paused)


def _pause(db: Connection, campaign_id: int) -> bool:
    db.execute(
        text("UPDATE campaigns SET status = 'running' WHERE id = :id AND status = 'queued'"), {"id": campaign_id}
    )
    paused = db.execute(
        text(
            "UPDATE campaigns SET status = 'paused', pause_reason = 'no_device' WHERE id = :id AND status = 'running'"
        ),
        {"id": campaign_id},
    )
    return paused.rowcount > 0


def let_back(db: Connection, device_ids: list[int]) -> list[int]:
    """Devices that can send again return to their campaigns; those that waited for one go on. Returns their ids."""
    if not device_ids:
        return []
    db.execute(
        text(
            "UPDATE campaign_devices cd SET out_at = NULL, out_code = NULL FROM campaigns c"
            " WHERE c.id = cd.campaign_id AND c.status IN ('queued', 'running', 'paused')"
            " AND cd.device_id = ANY(:ids) AND cd.out_at IS NOT NULL"
        ),
        {"ids": device_ids},
    )
    resumed = list(
        db.execute(
            text(
                "UPDATE campaigns SET status = 'running' WHERE status = 'paused' AND pause_reason = 'no_device'"
                " AND id IN (SELECT campaign_id FROM campaign_devices WHERE device_id = ANY(:ids)) RETURNING id"
            ),
            {"ids": device_ids},
        ).scalars()
    )
    wake.dispatcher(db)
    return resumed
