"""What Meta tells of our numbers and accounts: written down at each device that it concerns, and acted upon (R25).

A device that Meta restricts or bans is parked until the restriction ends; what it tells of quality, limits and templates is
taken over. Events may come again and in any order: each is one alert of a device, and the latest alert holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from db.queries import query
from domain import cloud_alerts
from domain.cloud_alert import SENDING, Kind, Reading, Severity
from services import health, trouble

FIGURES = ("quality", "messaging_limit")  # columns of cloud_numbers, and details of alerts that change them
SYNC_S = 60.0  # longer than from asking Meta for all templates until they are written down


@dataclass(frozen=True, slots=True)
class AlertView:
    """An alert of a device. ``details`` are Meta's words by name, as domain/cloud_alert.py lists them for each kind."""

    id: int
    device_id: int
    device_name: str
    at: datetime
    kind: Kind
    severity: Severity
    details: dict[str, Any]


def recent(db: Connection, workspace_id: int, device_id: int | None = None, limit: int = 20) -> list[AlertView]:
    """The latest alerts of a device, or of all devices of a workspace, the latest first."""
    rows = db.execute(
        text(
            "SELECT a.id, a.device_id, d.name AS device_name, a.at, a.kind, a.severity, a.details"
            " FROM alerts a JOIN devices d ON d.id = a.device_id"
            " WHERE d.workspace_id = :workspace_id AND (CAST(:device_id AS bigint) IS NULL OR d.id = :device_id)"
            " ORDER BY a.at DESC, a.id DESC LIMIT :limit"
        ),
        {"workspace_id": workspace_id, "device_id": device_id, "limit": limit},
    ).mappings()
    return [AlertView(**{**row, "kind": Kind(row["kind"])}) for row in rows]


def apply(db: Connection, events: Iterable[Any]) -> None:
    """Apply events (rows with event_id, session, at, data) of the type ``account``; ``at`` must not lie in the future."""
    for event in events:
        value = event.data.get("value")
        if isinstance(value, dict):
            _apply_one(db, event, value)


def _apply_one(db: Connection, event: Any, value: dict[str, Any]) -> None:
    read = cloud_alerts.reading(str(event.data.get("kind")), value)
    concerned = _concerned(db, event, value)
    new = _write(db, event, read, list(concerned))
    if read.kind is Kind.TEMPLATE and new:
        _take_template(db, event, read.details, new)
    for figure in FIGURES:
        if figure in read.details:
            _take_figure(db, figure, read.details[figure], _latest(db, event, new, figure=figure))
    if read.kind in SENDING:
        for device_id in _latest(db, event, new, kinds=[str(kind) for kind in SENDING]):
            _take_sending(db, device_id, read)
    if read.look and new:
        health.look_soon(db, [concerned[device_id] for device_id in new])


def _concerned(db: Connection, event: Any, value: dict[str, Any]) -> dict[int, str]:
    """The devices that an event is about, and their sessions. They are locked, so that of two alerts that are applied at the
    same time one comes after the other."""
    written = str(value.get("display_phone_number") or "")
    rows = db.execute(
        query("alerted_devices"),
        {
            "session": event.session,
            "business": event.data.get("scope") == "business",
            "digits": "".join(digit for digit in written if digit in "0123456789"),
        },
    )
    return {row.id: row.session for row in rows}


def _write(db: Connection, event: Any, read: Reading, device_ids: list[int]) -> list[int]:
    """Returns the devices of which this was not written yet."""
    rows = db.execute(
        text(
            "INSERT INTO alerts (device_id, event_id, at, kind, severity, details)"
            " SELECT id, :event_id, :at, :kind, :severity, CAST(:details AS jsonb)"
            " FROM unnest(CAST(:ids AS bigint[])) AS id"
            " ON CONFLICT (device_id, event_id) DO NOTHING RETURNING device_id"
        ),
        {
            "ids": device_ids,
            "event_id": event.event_id,
            "at": event.at,
            "kind": str(read.kind),
            "severity": read.severity,
            "details": json.dumps(read.details),
        },
    )
    return sorted(rows.scalars())


def _latest(
    db: Connection, event: Any, device_ids: list[int], *, kinds: Sequence[str] = (), figure: str | None = None
) -> list[int]:
    """Those devices of which nothing later is known than this event."""
    return list(
        db.execute(
            query("latest_alerts"),
            {"event_id": event.event_id, "device_ids": device_ids, "kinds": list(kinds), "figure": figure},
        ).scalars()
    )


def _take_figure(db: Connection, figure: str, value: str, device_ids: list[int]) -> None:
    db.execute(
        text(f"UPDATE cloud_numbers SET {figure} = :value WHERE device_id = ANY(:ids)"),  # noqa: S608 (one of FIGURES)
        {"value": value, "ids": device_ids},
    )


def _take_sending(db: Connection, device_id: int, read: Reading) -> None:
    """Whether it may send. Nobody can send from it while its account may not, whatever a look at the number itself says."""
    if read.kind is Kind.REINSTATED:
        trouble.unpark(db, device_id)
    elif read.kind is Kind.BANNED:
        trouble.strike(db, device_id, "banned", "the business account is disabled")
    elif read.until is None or not _is_over(db, read.until):
        trouble.strike(db, device_id, "restricted", ", ".join(read.details["types"]))
        if read.until is not None:
            _park_until(db, device_id, read.until)


def _park_until(db: Connection, device_id: int, until: datetime) -> None:
    db.execute(
        text("UPDATE devices SET parked_until = :until WHERE id = :id AND parked_until <> 'infinity'"),
        {"id": device_id, "until": until},
    )


def _is_over(db: Connection, until: datetime) -> bool:
    return bool(db.execute(text("SELECT :until <= clock_timestamp()"), {"until": until}).scalar_one())


def _take_template(db: Connection, event: Any, told: dict[str, Any], device_ids: list[int]) -> None:
    """The state that a template is in now, unless something later is known of it."""
    status = cloud_alerts.template_status(str(told.get("event")))
    if status is None:
        return
    db.execute(
        query("template_status"),
        {
            "status": status,
            "at": event.at,
            "business_id": event.session,
            "name": told.get("name"),
            "language": told.get("language"),
            "device_ids": device_ids,
            "events": sorted(cloud_alerts.STATUS_EVENTS),
            "sync_s": SYNC_S,
        },
    )
