"""Add a device: a number to send from, with the pace that its provider bears."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from domain.pacing import DEFAULTS
from services import audit
from services.refused import Refused


@dataclass(frozen=True, slots=True)
class SealedNumber:
    """What a number of the Cloud API has besides: the business account that it belongs to, and its access token, sealed."""

    business_id: str
    sealed_token: bytes


@dataclass(frozen=True, slots=True)
class NewDevice:
    """What is asked for. ``bridge_address`` is ``default`` or a URL of its own; None elsewhere: the provider's default. A
    device of the provider ``cloud``, and no other, has a ``number``, which Meta was asked about (services/cloud_numbers.py).
    """

    workspace_id: int
    name: str
    provider: str
    session: str
    bridge_address: str
    phone: str | None
    min_gap_s: float | None
    daily_cap: int | None
    number: SealedNumber | None = None


def add_device(db: Connection, new: NewDevice, *, who: str) -> int:
    """Returns its id; its session is not started yet. Raises Refused: SESSION_TAKEN or PROVIDER_NOT_SERVED."""
    if (new.provider == "cloud") != (new.number is not None):
        raise ValueError("a number of the Cloud API, and nothing else, comes with its token")
    defaults = DEFAULTS[new.provider]
    min_gap_s = defaults.min_gap_s if new.min_gap_s is None else new.min_gap_s
    # Only Meta's own bridge is known to serve one kind before it was looked at.
    bridge = {"address": new.bridge_address, "provider": new.provider if new.number else None}
    db.execute(
        text("INSERT INTO bridges (address, provider) VALUES (:address, :provider) ON CONFLICT DO NOTHING"), bridge
    )
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
            "   daily_cap, in_flight_limit, pair_gap_s)"
            " VALUES (:workspace_id, :name, :provider, :session, :bridge_address, :phone, :min_gap_s, :max_gap_s,"
            "   :daily_cap, :in_flight, :pair_gap_s) ON CONFLICT (bridge_address, session) DO NOTHING RETURNING id"
        ),
        {
            "workspace_id": new.workspace_id,
            "name": new.name,
            "provider": new.provider,
            "session": new.session,
            "bridge_address": new.bridge_address,
            "phone": new.phone,
            "min_gap_s": min_gap_s,
            # An official number has one pace, which may be faster than the usual one.
            "max_gap_s": min_gap_s if new.number else max(min_gap_s, defaults.max_gap_s),
            "daily_cap": defaults.daily_cap if new.daily_cap is None else new.daily_cap,
            "in_flight": defaults.in_flight,
            "pair_gap_s": defaults.pair_gap_s,
        },
    ).scalar_one_or_none()
    if device_id is None:
        raise Refused(
            "SESSION_TAKEN", "Another device has the session {session}.", {"field": "session"}, session=new.session
        )
    if new.number:
        db.execute(
            text(
                "INSERT INTO cloud_numbers (device_id, business_id, sealed_token)"
                " VALUES (:device_id, :business_id, :sealed_token)"
            ),
            {
                "device_id": device_id,
                "business_id": new.number.business_id,
                "sealed_token": new.number.sealed_token,
            },
        )
    audit.write(db, new.workspace_id, who, "add_device", f"device:{device_id}")
    return int(device_id)
