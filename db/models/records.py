"""What is written down about everything else: events, repeated requests, who did what, and marks of time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import NOW, Base, Id, WorkspaceId, one_of


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


class Process(Base):
    """A process of the fleet that is alive as of ``seen_at``. ``id`` is ``host:pid``, as it stands in
    ``processing_worker_id``; ``leads`` is for the one dispatcher that releases devices."""

    __tablename__ = "processes"
    __table_args__ = (CheckConstraint(one_of("kind", "worker", "dispatcher"), name="kind"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    version: Mapped[str]
    threads: Mapped[int]
    leads: Mapped[bool] = mapped_column(server_default=text("false"))
    started_at: Mapped[datetime] = mapped_column(server_default=NOW)
    seen_at: Mapped[datetime] = mapped_column(server_default=NOW)


class Report(Base):
    """What the dispatcher last told of something that is not in Postgres, such as the queues."""

    __tablename__ = "reports"

    name: Mapped[str] = mapped_column(primary_key=True)
    facts: Mapped[dict[str, Any]]
    at: Mapped[datetime] = mapped_column(server_default=NOW)


class MinuteCount(Base):
    """What was sent and failed in one minute, for charts and rates. ``campaign_id`` 0: of no campaign."""

    __tablename__ = "minute_counts"

    minute: Mapped[datetime] = mapped_column(primary_key=True)
    workspace_id: Mapped[WorkspaceId] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    sent: Mapped[int]
    failed: Mapped[int]
