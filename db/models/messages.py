"""Messages and their attempts: everything that is ever sent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import NOW, Base, Id, WorkspaceId, one_of
from domain.status import MessageStatus, Outcome

OF_A_CAMPAIGN = text("campaign_id IS NOT NULL")


class Message(Base):
    """One outbound item to one person, whatever it came from.

    ``text`` is the message of a single send; a campaign's is its own with ``variables``. The same goes for ``template``,
    which fills a template of Meta's. Since ``accepted_at`` Meta has it, and until ``lease_until`` tells what came of it.
    ``slot`` is the place in its device's in-flight limit that it holds from begin to record: unique while held, so no
    session can have more sends at once than its limit, whatever the workers do.
    """

    __tablename__ = "messages"
    __table_args__ = (
        CheckConstraint(one_of("origin", "inbox", "single", "sequence", "campaign"), name="origin"),
        CheckConstraint("(origin = 'campaign') = (campaign_id IS NOT NULL)", name="campaign_has_origin"),
        CheckConstraint(one_of("status", *MessageStatus), name="status"),
        CheckConstraint(
            "status <> 'processing' OR ((slot IS NOT NULL OR accepted_at IS NOT NULL) AND lease_until IS NOT NULL"
            " AND device_id IS NOT NULL AND processing_worker_id IS NOT NULL AND processing_started_at IS NOT NULL)",
            name="processing_is_held",
        ),
        CheckConstraint("status NOT IN ('failed', 'unknown') OR error_code IS NOT NULL", name="bad_news_has_code"),
        CheckConstraint("phone ~ '^[+][0-9]{5,15}$'", name="phone"),
        Index("messages_person_key", "campaign_id", "phone", unique=True, postgresql_where=OF_A_CAMPAIGN),
        Index("messages_queue", "device_id", "campaign_id", "id", postgresql_where=text("status = 'queued'")),
        Index("messages_slot_key", "device_id", "slot", unique=True, postgresql_where=text("slot IS NOT NULL")),
        Index("messages_accepted", "lease_until", postgresql_where=text("status = 'processing' AND slot IS NULL")),
        Index("messages_campaign_status", "campaign_id", "status", "id", postgresql_where=OF_A_CAMPAIGN),
        Index("messages_person_waits", "workspace_id", "phone", postgresql_where=text("status = 'queued'")),
        # A lead that is deleted is looked for in all messages.
        Index("messages_lead_id", "lead_id", postgresql_where=text("lead_id IS NOT NULL")),
        Index("messages_single_phone", "workspace_id", "phone", postgresql_where=text("origin <> 'campaign'")),
        Index("messages_failed_at", "workspace_id", "failed_at", postgresql_where=text("failed_at IS NOT NULL")),
    )

    id: Mapped[Id]
    workspace_id: Mapped[WorkspaceId]
    campaign_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("campaigns.id"))
    lead_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("leads.id", ondelete="SET NULL"))
    device_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("devices.id"))
    origin: Mapped[str]
    priority: Mapped[int] = mapped_column(SmallInteger, server_default="3")
    phone: Mapped[str]
    name: Mapped[str | None]
    variables: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    text: Mapped[str | None]
    template: Mapped[dict[str, Any] | None]
    row: Mapped[int | None]
    status: Mapped[str] = mapped_column(server_default="queued")
    due_at: Mapped[datetime] = mapped_column(server_default=NOW)
    stalled_base_s: Mapped[float] = mapped_column(server_default="0")

    attempt: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    attempts_used: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    slot: Mapped[int | None] = mapped_column(SmallInteger)
    lease_until: Mapped[datetime | None]
    processing_worker_id: Mapped[str | None]
    processing_started_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    requeued_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("audit.id"))
    doubt_left_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("audit.id"))

    error_code: Mapped[str | None]
    error_reason: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]
    unknown_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    suppressed_at: Mapped[datetime | None]


class Attempt(Base):
    """One try to hand a message over. Its send key is ``message_id.number``.

    ``outcome`` is the surest fact known of it; ``not_sent`` needs its proof. ``due_at`` is when it could have begun.
    """

    __tablename__ = "attempts"
    __table_args__ = (
        CheckConstraint(one_of("outcome", *Outcome), name="outcome"),
        CheckConstraint("outcome <> 'not_sent' OR proof IS NOT NULL", name="not_sent_is_proven"),
        CheckConstraint(one_of("proof", "answer", "refused", "closed", "failed", "receipt"), name="proof"),
        Index("attempts_begun_at", "begun_at", postgresql_using="brin"),
        Index(
            "attempts_provider_message_id",
            "provider_message_id",
            postgresql_where=text("provider_message_id IS NOT NULL"),
        ),
    )

    message_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    device_id: Mapped[int] = mapped_column(BigInteger)
    worker_id: Mapped[str]
    due_at: Mapped[datetime]
    begun_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(server_default="begun")
    proof: Mapped[str | None]
    provider_message_id: Mapped[str | None]
    error_code: Mapped[str | None]
    error_reason: Mapped[str | None]
