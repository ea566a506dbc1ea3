"""Delete a device with its leads and messages, in one transaction, after saying how many those are (R24)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from db.queries import query
from services import audit
from services.change_device import not_found
from services.refused import Refused


@dataclass(frozen=True, slots=True)
class Belongings:
    """What hinders a deletion, messages that wait or are in flight, and what would go with the device: all of its messages
    and leads."""

    queued: int
    in_flight: int
    messages: int
    leads: int


@dataclass(frozen=True, slots=True)
class Deleted:
    """What went with the device. ``session`` is what it leaves at a bridge, for ``sessions.unlink``: its address, its name,
    and whether the bridge there is of its kind. None where nothing of ours is left behind: an official number has no
    session, a simulated one is of no importance where real ones are served, and another device may have the same."""

    leads: int
    messages: int
    session: tuple[str, str, bool] | None


def belongings(db: Connection, workspace_id: int, device_id: int) -> Belongings:
    """What is known before anybody decides. Nothing of a device that is not the workspace's."""
    values = {"device_id": device_id, "workspace_id": workspace_id}
    return Belongings(**db.execute(query("device_belongings"), values).mappings().one())


def delete_device(db: Connection, workspace_id: int, device_id: int, *, confirmed: bool, who: str) -> Deleted:
    """What stays: the never-send list, the audit trail, and what the device had done for each campaign, with its name.

    Raises Refused: NOT_FOUND; DEVICE_BUSY while messages wait for it or are in flight; CONFIRM, with what would go in
    ``details``, unless ``confirmed``.
    """
    # With its row locked nothing can begin on it or be given to it until this is over.
    device = db.execute(
        text(
            "SELECT d.name, d.bridge_address, d.session, d.provider = coalesce(b.provider, d.provider) AS served,"
            " d.provider = 'baileys' OR (d.provider = 'simulator' AND coalesce(b.provider, 'simulator') = 'simulator')"
            "   AS has_session,"
            " EXISTS (SELECT 1 FROM devices o WHERE o.session = d.session AND o.provider = d.provider AND o.id <> d.id)"
            "   AS is_shared"
            " FROM devices d JOIN bridges b ON b.address = d.bridge_address"
            " WHERE d.id = :id AND d.workspace_id = :workspace_id FOR UPDATE OF d"
        ),
        {"id": device_id, "workspace_id": workspace_id},
    ).one_or_none()
    if device is None:
        raise not_found(device_id)
    found = belongings(db, workspace_id, device_id)
    if found.queued or found.in_flight:
        raise Refused(
            "DEVICE_BUSY",
            "{name} still has messages to send: move them to other phones or cancel them first.",
            {"queued": found.queued, "in_flight": found.in_flight},
            name=device.name,
        )
    if not confirmed:
        raise Refused(
            "CONFIRM",
            "Deleting {name} also deletes {leads} leads and {messages} messages: ask again with confirm=true.",
            {"leads": found.leads, "messages": found.messages},
            name=device.name,
        )
    _delete(db, device_id)
    gone = {"name": device.name, "leads": found.leads, "messages": found.messages}
    audit.write(db, workspace_id, who, "delete_device", f"device:{device_id}", gone)
    left = device.has_session and not device.is_shared
    session = (device.bridge_address, device.session, device.served) if left else None
    return Deleted(found.leads, found.messages, session)


def _delete(db: Connection, device_id: int) -> None:
    db.execute(
        text(
            "INSERT INTO departed_totals (campaign_id, device_id, device_name, counts)"
            " SELECT m.campaign_id, d.id, d.name, jsonb_object_agg(m.status, m.n) FROM devices d JOIN ("
            "   SELECT campaign_id, device_id, status, count(*) AS n FROM messages"
            "   WHERE device_id = :id AND campaign_id IS NOT NULL GROUP BY campaign_id, device_id, status"
            " ) m ON m.device_id = d.id GROUP BY m.campaign_id, d.id, d.name"
        ),
        {"id": device_id},
    )
    for statement in (
        "DELETE FROM messages WHERE device_id = :id",
        "DELETE FROM leads WHERE device_id = :id",
        "DELETE FROM devices WHERE id = :id",
    ):
        db.execute(text(statement), {"id": device_id})
