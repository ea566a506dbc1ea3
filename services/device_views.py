"""Devices as their owners see them: health, pace, what was sent today and what waits (R22)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from db.queries import query
from domain.condition import Condition, Facts, condition
from domain.failures import in_words


@dataclass(frozen=True, slots=True)
class DeviceView:
    """A device now. ``session_age`` in seconds, None unless connected; ``checked_at`` is when its bridge last told.

    While its bridge is away nobody knows how it is: ``state`` is then ``bridge_away``, and it counts as not connected.
    ``condition`` is what is wrong with it, in one code. Only a number of the Cloud API has a ``business_account_id``, and of
    Meta's words for it ``quality`` and ``messaging_limit``, as far as it was told.
    """

    id: int
    name: str
    provider: str
    session: str
    phone: str | None
    state: str
    connected: bool
    can_send: bool
    session_age: int | None
    last_message_ts: datetime | None
    qr_required: bool
    error_code: str | None
    last_error: str | None
    restricted_until: datetime | None
    checked_at: datetime | None
    min_gap_s: float
    max_gap_s: float
    daily_cap: int | None
    hourly_cap: int | None
    sent_today: int
    sent_this_hour: int
    waiting_count: int
    bridge_address: str
    bridge_away_since: datetime | None
    business_account_id: str | None
    quality: str | None
    messaging_limit: str | None
    condition: Condition


def every(db: Connection, workspace_id: int) -> list[DeviceView]:
    """All devices of a workspace, in the order of their ids."""
    return _views(db, workspace_id, None)


def one(db: Connection, workspace_id: int, device_id: int) -> DeviceView | None:
    """A device, or None when there is none with this id."""
    return next(iter(_views(db, workspace_id, device_id)), None)


def addresses(db: Connection, workspace_id: int, device_ids: list[int] | None) -> list[str]:
    """Where the bridges of these devices are served, each once; of all devices when ``device_ids`` is None."""
    return list(
        db.execute(
            text(
                "SELECT DISTINCT bridge_address FROM devices WHERE workspace_id = :workspace_id"
                " AND (CAST(:ids AS bigint[]) IS NULL OR id = ANY(:ids))"
            ),
            {"workspace_id": workspace_id, "ids": device_ids},
        ).scalars()
    )


def served(db: Connection, address: str) -> str | None:
    """What kind of phones a bridge serves (a provider); None as long as it has not said so."""
    return db.execute(
        text("SELECT provider FROM bridges WHERE address = :address"), {"address": address}
    ).scalar_one_or_none()


def _views(db: Connection, workspace_id: int, device_id: int | None) -> list[DeviceView]:
    rows = db.execute(query("device_views"), {"workspace_id": workspace_id, "id": device_id}).mappings()
    return [_view(dict(row)) for row in rows]


def _view(row: dict[str, Any]) -> DeviceView:
    told = row.pop("error_reason")
    facts = Facts(
        bridge_away=row["bridge_away_since"] is not None,
        can_send=row["can_send"],
        qr_required=row["qr_required"],
        restricted=row["restricted_until"] is not None,
        at_cap=_reached(row["sent_today"], row["daily_cap"]) or _reached(row["sent_this_hour"], row["hourly_cap"]),
        state=row["state"],
        error_code=row["error_code"],
    )
    return DeviceView(last_error=in_words(row["error_code"], told), condition=condition(facts), **row)


def _reached(sent: int, cap: int | None) -> bool:
    return cap is not None and sent >= cap
