"""Campaigns, the devices they use, and the rows that could not become recipients."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import NOW, Base, Id, WorkspaceId, one_of
from domain.status import CampaignStatus


class Campaign(Base):
    """One launch to many. ``counts`` by state are kept by aggregate_campaigns, as of ``counted_at``.

    ``template`` is what fills a template of Meta's (domain/cloud_template.py); ``message`` is then its text as people
    read it.
    """

    __tablename__ = "campaigns"
    __table_args__ = (
        CheckConstraint(one_of("status", *CampaignStatus), name="status"),
        CheckConstraint(one_of("pause_reason", "operator", "no_device", "breaker"), name="pause_reason"),
        CheckConstraint("(status = 'paused') = (pause_reason IS NOT NULL)", name="pause_has_reason"),
        CheckConstraint("status <> 'failed' OR error_code IS NOT NULL", name="failure_has_code"),
        CheckConstraint("min_delay_s >= 0 AND max_delay_s >= min_delay_s", name="delays"),
        Index(
            "campaigns_open",
            "status",
            "scheduled_at",
            postgresql_where=text("status IN ('scheduled', 'accepted', 'queued', 'running', 'paused')"),
        ),
        Index("campaigns_workspace_id", "workspace_id", "id"),
    )

    id: Mapped[Id]
    workspace_id: Mapped[WorkspaceId]
    title: Mapped[str]
    message: Mapped[str]
    template: Mapped[dict[str, Any] | None]
    status: Mapped[str]
    pause_reason: Mapped[str | None]
    error_code: Mapped[str | None]
    error_reason: Mapped[str | None]
    min_delay_s: Mapped[float | None]
    max_delay_s: Mapped[float | None]
    scheduled_at: Mapped[datetime | None]
    job_id: Mapped[UUID]
    headers: Mapped[dict[str, Any] | None]
    phone_header: Mapped[str | None]
    counts: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    counted_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    queued_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    reopened_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("audit.id"))
    # What a draft holds until it is launched
    device_ids: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    save_leads: Mapped[bool] = mapped_column(server_default=text("false"))
    edited_at: Mapped[datetime | None]


class DraftFile(Base):
    """The file of a draft as it was uploaded, and how it is to be read; None: found by itself. ``found`` is what reading
    it so has brought: its first rows, or the fault that keeps it from being read."""

    __tablename__ = "draft_files"

    campaign_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str]
    content: Mapped[bytes]
    encoding: Mapped[str | None]
    delimiter: Mapped[str | None]
    phone_column: Mapped[str | None]
    name_column: Mapped[str | None]
    found: Mapped[dict[str, Any]]


class DraftPerson(Base):
    """Somebody whom a draft will be sent to; a launch makes a message of each."""

    __tablename__ = "draft_people"

    campaign_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True
    )
    row: Mapped[int] = mapped_column(primary_key=True)
    phone: Mapped[str]
    name: Mapped[str | None]
    variables: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    warning: Mapped[str | None]


class CampaignDevice(Base):
    """A device that a campaign may use.

    ``active`` mirrors the campaign's state (a trigger keeps it), so that picking a message reads no ended campaign.
    ``last_begun_at`` makes several campaigns take turns on one device.
    """

    __tablename__ = "campaign_devices"
    __table_args__ = (
        Index("campaign_devices_active", "device_id", postgresql_where=text("active")),
        # A device that leaves takes this row with it; totals below keep its name.
    )

    campaign_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True
    )
    device_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True)
    active: Mapped[bool] = mapped_column(server_default=text("false"))
    last_begun_at: Mapped[datetime | None]
    out_at: Mapped[datetime | None]
    out_code: Mapped[str | None]


class DepartedTotal(Base):
    """What a deleted device had done for a campaign: its messages are gone, the campaign's totals are not."""

    __tablename__ = "departed_totals"

    campaign_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True
    )
    device_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    device_name: Mapped[str]
    counts: Mapped[dict[str, Any]]


class RejectedRow(Base):
    """A row of an upload or launch that is not a recipient, and why; ``cells`` are as they came."""

    __tablename__ = "rejected_rows"

    campaign_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True
    )
    row: Mapped[int] = mapped_column(primary_key=True)
    phone: Mapped[str]
    reason: Mapped[str]
    cells: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
