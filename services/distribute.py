"""Spread the recipients of a campaign over its devices: ``accepted`` becomes ``queued``."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from db.queries import query
from domain.distribution import Share, deal, deal_apart
from services import devices, wake
from services.conversations import OPEN_S

# From this many on, Postgres is told at once: autovacuum would take up to a minute, and until then begin would follow a
# plan that was made for a much shorter table. With 1,000,000 messages it takes 0.1 s.
ANALYZE_FROM = 1000


@dataclass(frozen=True, slots=True)
class Moved:
    """How many messages have a device now, and which none of the devices can send: they stay where they were."""

    count: int
    left: list[int]


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

    When none can send at present they are dealt over all, and wait there until one can (services/hand_over.py). So does who
    can get the message only from one that cannot. What nobody may send any more, because the person's window has closed or
    Meta has taken the template back since the launch, goes to anybody: Meta then says why not, and it is not lost. A device
    that is deleted at this moment leaves what it was to get, which is dealt over the others.
    """
    dealt = 0
    while waiting := _without_device(db, campaign_id):
        candidates = devices.of_campaign(db, campaign_id)
        if not candidates:
            break
        able = [device for device in candidates if device.ready] or candidates
        for those in (able, candidates):
            moved = move(db, waiting, those)
            dealt += moved.count
            waiting = moved.left
        if waiting:
            dealt += _give(db, waiting, deal(len(waiting), shares(able)))
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


def move(db: Connection, message_ids: list[int], able: list[devices.Candidate]) -> Moved:
    """Give these queued messages to those of these devices that their content can go out from, in proportion to speed."""
    if not message_ids or not able:
        return Moved(0, message_ids)
    if not any(device.official for device in able):
        return Moved(_give(db, message_ids, deal(len(message_ids), shares(able))), [])
    fitting = db.execute(
        query("fitting_devices"),
        {"message_ids": message_ids, "device_ids": [device.id for device in able], "open_s": OPEN_S},
    )
    groups = [(row.message_ids, [device for device in able if device.id in row.device_ids]) for row in fitting]
    dealt = deal_apart([(len(ids), shares(those)) for ids, those in groups])
    going = [id for ids, _ in groups for id in ids]
    left = set(message_ids).difference(going)
    count = _give(db, going, [device_id for device_ids in dealt for device_id in device_ids])
    return Moved(count, [id for id in message_ids if id in left])


def _give(db: Connection, message_ids: list[int], device_ids: list[int]) -> int:
    return db.execute(
        text(
            "UPDATE messages m SET device_id = d.id, stalled_base_s = d.stalled_s"
            " FROM unnest(CAST(:messages AS bigint[]), CAST(:devices AS bigint[])) AS given (message_id, device_id)"
            " JOIN devices d ON d.id = given.device_id"
            " WHERE m.id = given.message_id AND m.status = 'queued'"
        ),
        {"messages": message_ids, "devices": device_ids},
    ).rowcount


def shares(able: list[devices.Candidate]) -> list[Share]:
    """By what proportions people are dealt over these devices."""
    # Whoever is at his cap gets nothing while others are not; when all are, they wait for the morning together.
    return [Share(device.id, device.speed) for device in able if device.speed] or [Share(d.id, 1.0) for d in able]
