"""A message to one person from one device, outside any campaign."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from domain import cloud_filling, failures, phone
from services import devices, template_devices, template_filling, wake
from services.conversations import OPEN_S
from services.devices import Candidate
from services.refused import Refused


@dataclass(frozen=True, slots=True)
class Queued:
    """A message that waits to be sent."""

    id: int
    status: str


def send(
    db: Connection,
    workspace_id: int,
    *,
    device_id: int,
    number: str,
    body: str,
    default_country: str,
    template: Mapping[str, Any] | None = None,
) -> Queued:
    """Queue a single send; it goes before all campaigns of its device. ``template`` is one of Meta's as stored, with values
    that are the same for everybody (services/template_filling.py), and ``body`` then its words.

    Raises Refused: INVALID_PHONE, UNKNOWN_DEVICE, SUPPRESSED; OUTSIDE_WINDOW for free text that an official number may not
    send this person now; or as ``template_devices.that_can_send`` does.
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
    for device in devices.for_launch(db, workspace_id, [device_id]):
        _check_content(db, workspace_id, device, e164, template)
    row = db.execute(
        text(
            "INSERT INTO messages (workspace_id, device_id, origin, priority, phone, text, template, stalled_base_s)"
            " SELECT workspace_id, id, 'single', 1, :phone, :body, CAST(:template AS jsonb), stalled_s FROM devices"
            " WHERE id = :device_id AND workspace_id = :workspace_id FOR KEY SHARE RETURNING id, status"
        ),
        {
            "workspace_id": workspace_id,
            "device_id": device_id,
            "phone": e164,
            "body": body,
            "template": None if template is None else json.dumps(template),
        },
    ).one_or_none()
    if row is None:
        raise Refused("UNKNOWN_DEVICE", "There is no device {id}.", {"field": "device_id"}, id=device_id)
    wake.dispatcher(db)
    return Queued(row.id, row.status)


def send_template(
    db: Connection,
    workspace_id: int,
    asked: Mapping[str, Any],
    *,
    device_id: int,
    number: str,
    default_country: str,
) -> Queued:
    """Queue a single send by a template of Meta's; its values are put in as they are.

    Raises Refused as ``send``, ``template_filling.stored`` and ``template_filling.check`` do.
    """
    values = {key: cloud_filling.literal(value) for key, value in asked["values"].items()}
    template = template_filling.stored(db, workspace_id, {**asked, "values": values}, [device_id])
    template_filling.check(db, workspace_id, template)
    return send(
        db,
        workspace_id,
        device_id=device_id,
        number=number,
        body=template_filling.literal_words(template),
        default_country=default_country,
        template=template,
    )


def open_windows(db: Connection, device_ids: Sequence[int], e164: str) -> set[int]:
    """With which of these official numbers this person may be written to freely now."""
    found = db.execute(
        text(
            "SELECT device_id FROM conversations WHERE device_id = ANY(:ids) AND phone = :phone"
            " AND last_inbound_at > clock_timestamp() - make_interval(secs => :open_s)"
        ),
        {"ids": list(device_ids), "phone": e164, "open_s": OPEN_S},
    )
    return set(found.scalars())


def _check_content(
    db: Connection, workspace_id: int, device: Candidate, e164: str, template: Mapping[str, Any] | None
) -> None:
    if template is not None:
        template_devices.that_can_send(db, workspace_id, template, [device], chosen=True)
    elif device.official and not open_windows(db, [device.id], e164):
        raise Refused(
            "OUTSIDE_WINDOW",
            "This person has not written to {phone} within the last 24 hours, so WhatsApp takes no free text to them: send a"
            " template.",
            {"field": "phone", "outside_count": 1},
            phone=device.name,
        )


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
