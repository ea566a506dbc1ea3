"""Workspaces and what they send from."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import NOW, Base, Id, WorkspaceId, one_of


class Workspace(Base):
    """A tenant."""

    __tablename__ = "workspaces"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(unique=True)
    default_country: Mapped[str]
    time_zone: Mapped[str]
    sending_stopped_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)


class BridgeHost(Base):
    """An address where the bridge contract is served. ``default`` is the one of the setting BRIDGE_URL.

    While ``away_since`` is set no device of it is due, and ``next_probe_at`` says when one call looks again. Until
    ``look_until`` such a call is under way, and nobody else begins one. ``provider`` is what it said of itself at the last
    look: a device of another provider is not its.
    """

    __tablename__ = "bridges"

    address: Mapped[str] = mapped_column(primary_key=True)
    away_since: Mapped[datetime | None]
    error_code: Mapped[str | None]
    error_reason: Mapped[str | None]
    failures: Mapped[int] = mapped_column(server_default="0")
    next_probe_at: Mapped[datetime] = mapped_column(server_default=NOW)
    checked_at: Mapped[datetime | None]
    look_until: Mapped[datetime | None]
    provider: Mapped[str | None]


class Device(Base):
    """One number we send from, with one session at its bridge.

    ``next_send_at`` is the whole answer to "when may it send": gap, jitter and caps have moved it already.
    ``pair_gap_s`` is the least time between two messages to the same person.
    ``stalled_s`` counts the seconds in which it could have sent something and did not (see services/expire.py).
    Until ``parked_until`` it is restricted or, when that is *infinity*, banned: it cannot send, whatever its bridge says.
    """

    __tablename__ = "devices"
    __table_args__ = (
        CheckConstraint(one_of("provider", "simulator", "baileys", "cloud"), name="provider"),
        CheckConstraint("min_gap_s >= 0 AND max_gap_s >= min_gap_s", name="gaps"),
        CheckConstraint("in_flight_limit >= 1", name="in_flight_limit"),
        CheckConstraint("hourly_cap > 0 AND daily_cap > 0", name="caps"),
        Index("devices_session_key", "bridge_address", "session", unique=True),
        Index("devices_workspace_id", "workspace_id"),
    )

    id: Mapped[Id]
    workspace_id: Mapped[WorkspaceId]
    name: Mapped[str]
    provider: Mapped[str]
    session: Mapped[str]
    bridge_address: Mapped[str] = mapped_column(ForeignKey("bridges.address"), server_default="default")
    phone: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)

    # Its pace
    min_gap_s: Mapped[float]
    max_gap_s: Mapped[float]
    hourly_cap: Mapped[int | None]
    daily_cap: Mapped[int | None]
    in_flight_limit: Mapped[int] = mapped_column(SmallInteger, server_default="1")
    pair_gap_s: Mapped[float | None]
    next_send_at: Mapped[datetime] = mapped_column(server_default=NOW)
    hour: Mapped[datetime | None]
    hour_count: Mapped[int] = mapped_column(server_default="0")
    day: Mapped[date | None]
    day_count: Mapped[int] = mapped_column(server_default="0")
    stalled_s: Mapped[float] = mapped_column(server_default="0")

    # Its health, as the bridge last told
    state: Mapped[str] = mapped_column(server_default="new")
    connected: Mapped[bool] = mapped_column(server_default=text("false"))
    can_send: Mapped[bool] = mapped_column(server_default=text("false"))
    qr_required: Mapped[bool] = mapped_column(server_default=text("false"))
    connected_since: Mapped[datetime | None]
    last_message_at: Mapped[datetime | None]
    restricted_until: Mapped[datetime | None]
    parked_until: Mapped[datetime | None]
    error_code: Mapped[str | None]
    error_reason: Mapped[str | None]
    strikes: Mapped[int] = mapped_column(server_default="0")
    next_check_at: Mapped[datetime] = mapped_column(server_default=NOW)
