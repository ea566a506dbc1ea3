"""What Meta's Cloud API needs beside devices and messages: numbers, templates, media, and what is known of people."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import NOW, Base, Id, WorkspaceId, one_of


class CloudNumber(Base):
    """What a device of the provider ``cloud`` has besides; its session is Meta's id of the number. ``sealed_token`` is its
    access token (services/seal.py), ``quality`` and ``messaging_limit`` are Meta's words as it last told them."""

    __tablename__ = "cloud_numbers"
    __table_args__ = (Index("cloud_numbers_business_id", "business_id"),)

    device_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True)
    business_id: Mapped[str]
    sealed_token: Mapped[bytes]
    quality: Mapped[str | None]
    messaging_limit: Mapped[str | None]


class Alert(Base):
    """What Meta has told of a number or its account, as an event that is kept once."""

    __tablename__ = "alerts"
    __table_args__ = (
        CheckConstraint(one_of("severity", "info", "warning", "serious"), name="severity"),
        Index("alerts_event_key", "device_id", "event_id", unique=True),
    )

    id: Mapped[Id]
    device_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("devices.id", ondelete="CASCADE"))
    event_id: Mapped[str]
    at: Mapped[datetime]
    kind: Mapped[str]
    severity: Mapped[str]
    details: Mapped[dict[str, Any]]


class MessageTemplate(Base):
    """A template as a business account has it at Meta, as of ``synced_at``; ``components`` are in Meta's own words."""

    __tablename__ = "templates"

    business_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str]
    category: Mapped[str]
    parameter_format: Mapped[str]
    components: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    synced_at: Mapped[datetime] = mapped_column(server_default=NOW)


class Media(Base):
    """A file that goes out with messages, kept once for each content and name. ``digest`` is its SHA-256."""

    __tablename__ = "media"
    __table_args__ = (Index("media_digest_key", "workspace_id", "digest", "filename", unique=True),)

    id: Mapped[Id]
    workspace_id: Mapped[WorkspaceId]
    digest: Mapped[str]
    mimetype: Mapped[str]
    filename: Mapped[str]
    content: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)


class MediaUpload(Base):
    """A file that a number has uploaded to Meta, which keeps it for thirty days."""

    __tablename__ = "media_uploads"

    media_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("media.id", ondelete="CASCADE"), primary_key=True)
    device_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True)
    provider_media_id: Mapped[str]
    uploaded_at: Mapped[datetime] = mapped_column(server_default=NOW)


class Conversation(Base):
    """When a person last wrote to a device. WhatsApp takes free text to them for 24 hours from then (Cloud API)."""

    __tablename__ = "conversations"

    device_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True)
    phone: Mapped[str] = mapped_column(primary_key=True)
    last_inbound_at: Mapped[datetime]


class Pair(Base):
    """From when a device may write to a person again. Unlogged: what it holds is over after seconds."""

    __tablename__ = "pairs"
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)

    device_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    phone: Mapped[str] = mapped_column(primary_key=True)
    next_at: Mapped[datetime]
