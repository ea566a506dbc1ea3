"""Spread the recipients of a campaign over its devices: ``accepted`` becomes ``queued``."""

from __future__ import annotations

from sqlalchemy import Connection, text

from domain.distribution import Share, deal
from services import devices, wake

# From this many on, Postgres is told at once: autovacuum would take up to a minute, and until then begin would follow a
# plan that was made for a much shorter table. With 1,000,000 messages it takes 0.1 s.
ANALYZE_FROM = 1000


def distribute(db: Connection, campaign_id: int) -> int | None:
    """Give each waiting recipient a device; returns how many, or None when the campaign is not ``accepted`` (any more).

    Idempotent: of two at once the second waits for the first, and then finds nothing to do.
    """
    status = db.execute(
        text("SELECT status FROM campaigns WHERE id = :id FOR UPDATE"), {"id": campaign_id}
    ).scalar_one_or_none()
    if status != "accepted":
        return None
    dealt = deal_waiting(db, campaign_id)
    if not devices.of_campaign(db, campaign_id):  # deleted since the launch
        db.execute(
            text("UPDATE campaigns SET status = 'failed', error_code = 'no_device' WHERE id = :id"), {"id": campaign_id}
        )
        return 0
    db.execute(text("UPDATE campaigns SET status = 'queued' WHERE id = :id"), {"id": campaign_id})
    if dealt >= ANALYZE_FROM:
        db.execute(text("ANALYZE (SKIP_LOCKED) messages, campaign_devices"))
    wake.dispatcher(db)
    return dealt


def deal_waiting(db: Connection, campaign_id: int) -> int:
    """Deal the queued messages without a device over those that can send, faster devices getting more; returns how many.

    When none can send at present they are dealt over all, and wait there until one can (services/hand_over.py). A device
    that is deleted at this moment leaves what it was to get, which is dealt over the others.
    """
    dealt = 0
    while waiting := _without_device(db, campaign_id):
        candidates = devices.of_campaign(db, campaign_id)
        if not candidates:
            break
        dealt += move(db, waiting, [device for device in candidates if device.ready] or candidates)
    return dealt


def _without_device(db: Connection, campaign_id: int) -> list[int]:
    return list(
        db.execute(
            text(
                "SELECT id FROM messages WHERE campaign_id = :id AND device_id IS NULL AND status = 'queued' ORDER BY id"
            ),
            {"id": campaign_id},
        ).scalars()
    )


def move(db: Connection, message_ids: list[int], able: list[devices.Candidate]) -> int:
    """Give these queued messages to these devices, in proportion to their speed; returns how many."""
    dealt = deal(len(message_ids), shares(able))
    return db.execute(
        text(
            "UPDATE messages m SET device_id = d.id, stalled_base_s = d.stalled_s"
            " FROM unnest(CAST(:messages AS bigint[]), CAST(:devices AS bigint[])) AS given (message_id, device_id)"
            " JOIN devices d ON d.id = given.device_id"
            " WHERE m.id = given.message_id AND m.status = 'queued'"
        ),
        {"messages": message_ids, "devices": dealt},
    ).rowcount


def shares(able: list[devices.Candidate]) -> list[Share]:
    """By what proportions people are dealt over these devices."""
    # Whoever is at his cap gets nothing while others are not; when all are, they wait for the morning together.
    return [Share(device.id, device.speed) for device in able if device.speed] or [Share(d.id, 1.0) for d in able]
