"""Add a device: a number to send from, with the pace that its provider bears."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from domain.pacing import DEFAULTS
from services import audit
from services.refused import Refused


@dataclass(frozen=True, slots=True)
class NewDevice:
    """What is asked for. ``bridge_address`` is ``default`` or a URL of its own; None elsewhere: the provider's default."""

    workspace_id: int
    name: str
    provider: str
    session: str
    bridge_address: str
    phone: str | None
    min_gap_s: float | None
    daily_cap: int | None


def add_device(db: Connection, new: NewDevice, *, who: str) -> int:
    """Returns its id; its session is not started yet. Raises Refused: SESSION_TAKEN or PROVIDER_NOT_SERVED."""
    if new.provider == "cloud":
        raise Refused(
            "PROVIDER_NOT_SERVED",
            "Devices of the provider cloud cannot be added yet: choose baileys or simulator.",
            {"field": "provider"},
        )
    defaults = DEFAULTS[new.provider]
    min_gap_s = defaults.min_gap_s if new.min_gap_s is None else new.min_gap_s
    bridge = {"address": new.bridge_address}
    db.execute(text("INSERT INTO bridges (address) VALUES (:address) ON CONFLICT DO NOTHING"), bridge)
    served = db.execute(text("SELECT provider FROM bridges WHERE address = :address"), bridge).scalar_one()
    if served not in (None, new.provider):
        raise Refused(
            "PROVIDER_NOT_SERVED",
            "The bridge that runs serves phones of the kind {served}, not {provider}.",
            {"field": "provider", "served": served},
            served=served,
            provider=new.provider,
        )
    device_id = db.execute(
        text(
            "INSERT INTO devices (workspace_id, name, provider, session, bridge_address, phone, min_gap_s, max_gap_s,"
            "   daily_cap, in_flight_limit)"
            " VALUES (:workspace_id, :name, :provider, :session, :bridge_address, :phone, :min_gap_s, :max_gap_s,"
            "   :daily_cap, :in_flight) ON CONFLICT (bridge_address, session) DO NOTHING RETURNING id"
        ),
        {
            "workspace_id": new.workspace_id,
            "name": new.name,
            "provider": new.provider,
            "session": new.session,
            "bridge_address": new.bridge_address,
            "phone": new.phone,
            "min_gap_s": min_gap_s,
            "max_gap_s": max(min_gap_s, defaults.max_gap_s),
            "daily_cap": defaults.daily_cap if new.daily_cap is None else new.daily_cap,
            "in_flight": defaults.in_flight,
        },
    ).scalar_one_or_none()
    if device_id is None:
        raise Refused(
            "SESSION_TAKEN", "Another device has the session {session}.", {"field": "session"}, session=new.session
        )
    audit.write(db, new.workspace_id, who, "add_device", f"device:{device_id}")
    return int(device_id)
