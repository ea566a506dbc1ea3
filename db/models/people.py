"""People: the book, and those who must never be sent to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import NOW, Base, Id, WorkspaceId, one_of


class Lead(Base):
    """A person in the book. ``attributes`` holds any extra column of the file they came from."""

    __tablename__ = "leads"
    __table_args__ = (
        Index("leads_person_key", "workspace_id", "phone", unique=True),
        Index("leads_device_id", "device_id", postgresql_where=text("device_id IS NOT NULL")),
    )

    id: Mapped[Id]
    workspace_id: Mapped[WorkspaceId]
    phone: Mapped[str]
    name: Mapped[str | None]
    niche: Mapped[str | None]
    status: Mapped[str] = mapped_column(server_default="prospect")
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    attributes: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    device_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("devices.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)


class Suppression(Base):
    """A number that is never sent to, with the proof of when and why."""

    __tablename__ = "suppressions"
    __table_args__ = (CheckConstraint(one_of("reason", "opt_out", "invalid", "complaint", "by_hand"), name="reason"),)

    workspace_id: Mapped[WorkspaceId] = mapped_column(primary_key=True)
    phone: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    proof: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
