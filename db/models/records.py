"""What is written down about everything else: events, repeated requests, who did what, and marks of time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import NOW, Base, Id, WorkspaceId


class Event(Base):
    """An event as a bridge posted it, kept before it is answered and applied afterwards."""

    __tablename__ = "events"
    __table_args__ = (Index("events_waiting", "id", postgresql_where=text("applied_at IS NULL")),)

    id: Mapped[Id]
    event_id: Mapped[str] = mapped_column(unique=True)
    session: Mapped[str]
    type: Mapped[str]
    at: Mapped[datetime]
    data: Mapped[dict[str, Any]]
    received_at: Mapped[datetime] = mapped_column(server_default=NOW)
    applied_at: Mapped[datetime | None]


class Repeat(Base):
    """A request that must have one effect however often it comes.

    ``key`` is ``content:<hash>`` (a launch, 10 minutes) or ``header:<Idempotency-Key>`` (24 hours).
    """

    __tablename__ = "idempotency"

    workspace_id: Mapped[WorkspaceId] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    campaign_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("campaigns.id", ondelete="CASCADE", deferrable=True, initially="DEFERRED")
    )
    answer: Mapped[dict[str, Any] | None]
    launched_at: Mapped[datetime] = mapped_column(server_default=NOW)


class Audit(Base):
    """Who did what. ``subject`` is like ``campaign:12``."""

    __tablename__ = "audit"
    __table_args__ = (Index("audit_subject", "subject", "id"),)

    id: Mapped[Id]
    workspace_id: Mapped[WorkspaceId]
    at: Mapped[datetime] = mapped_column(server_default=NOW)
    who: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    details: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))


class Mark(Base):
    """When something that goes by the clock was last done."""

    __tablename__ = "marks"

    name: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
