"""The tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bridges",
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("away_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_reason", sa.Text(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "next_probe_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("address", name="bridges_pkey"),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "received_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="events_pkey"),
        sa.UniqueConstraint("event_id", name="events_event_id_key"),
    )
    op.create_index("events_waiting", "events", ["id"], unique=False, postgresql_where=sa.text("applied_at IS NULL"))
    op.create_table(
        "marks",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="marks_pkey"),
    )
    op.create_table(
        "workspaces",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("default_country", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("sending_stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name="workspaces_pkey"),
        sa.UniqueConstraint("name", name="workspaces_name_key"),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="audit_workspace_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="audit_pkey"),
    )
    op.create_index("audit_subject", "audit", ["subject", "id"], unique=False)
    op.create_table(
        "devices",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("bridge_address", sa.Text(), server_default="default", nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("min_gap_s", sa.Double(), nullable=False),
        sa.Column("max_gap_s", sa.Double(), nullable=False),
        sa.Column("hourly_cap", sa.Integer(), nullable=True),
        sa.Column("daily_cap", sa.Integer(), nullable=True),
        sa.Column("in_flight_limit", sa.SmallInteger(), server_default="1", nullable=False),
        sa.Column(
            "next_send_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hour_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("day_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("stalled_s", sa.Double(), server_default="0", nullable=False),
        sa.Column("state", sa.Text(), server_default="new", nullable=False),
        sa.Column("connected", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("can_send", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("qr_required", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("connected_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_message_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("restricted_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_reason", sa.Text(), nullable=True),
        sa.Column("strikes", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "next_check_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint("provider IN ('simulator', 'baileys', 'cloud')", name=op.f("devices_provider")),
        sa.CheckConstraint("hourly_cap > 0 AND daily_cap > 0", name=op.f("devices_caps")),
        sa.CheckConstraint("in_flight_limit >= 1", name=op.f("devices_in_flight_limit")),
        sa.CheckConstraint("min_gap_s >= 0 AND max_gap_s >= min_gap_s", name=op.f("devices_gaps")),
        sa.ForeignKeyConstraint(["bridge_address"], ["bridges.address"], name="devices_bridge_address_fkey"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="devices_workspace_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="devices_pkey"),
    )
    op.create_index("devices_session_key", "devices", ["bridge_address", "session"], unique=True)
    op.create_index("devices_workspace_id", "devices", ["workspace_id"], unique=False)
    op.create_table(
        "suppressions",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint(
            "reason IN ('opt_out', 'invalid', 'complaint', 'by_hand')", name=op.f("suppressions_reason")
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="suppressions_workspace_id_fkey"),
        sa.PrimaryKeyConstraint("workspace_id", "phone", name="suppressions_pkey"),
    )
    op.create_table(
        "campaigns",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("pause_reason", sa.Text(), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_reason", sa.Text(), nullable=True),
        sa.Column("min_delay_s", sa.Double(), nullable=True),
        sa.Column("max_delay_s", sa.Double(), nullable=True),
        sa.Column("scheduled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reopened_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(status = 'paused') = (pause_reason IS NOT NULL)", name=op.f("campaigns_pause_has_reason")),
        sa.CheckConstraint("pause_reason IN ('operator', 'no_device', 'breaker')", name=op.f("campaigns_pause_reason")),
        sa.CheckConstraint("status <> 'failed' OR error_code IS NOT NULL", name=op.f("campaigns_failure_has_code")),
        sa.CheckConstraint(
            "status IN ('draft', 'scheduled', 'accepted', 'queued', 'running', 'paused', 'completed', 'partial', 'failed', 'cancelled')",
            name=op.f("campaigns_status"),
        ),
        sa.CheckConstraint("min_delay_s >= 0 AND max_delay_s >= min_delay_s", name=op.f("campaigns_delays")),
        sa.ForeignKeyConstraint(["reopened_by"], ["audit.id"], name="campaigns_reopened_by_fkey"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="campaigns_workspace_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="campaigns_pkey"),
    )
    op.create_index(
        "campaigns_open",
        "campaigns",
        ["status", "scheduled_at"],
        unique=False,
        postgresql_where=sa.text("status IN ('scheduled', 'accepted', 'queued', 'running', 'paused')"),
    )
    op.create_index("campaigns_workspace_id", "campaigns", ["workspace_id", "id"], unique=False)
    op.create_table(
        "leads",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("niche", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), server_default="prospect", nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column(
            "attributes", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("device_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name="leads_device_id_fkey"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="leads_workspace_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="leads_pkey"),
    )
    op.create_index(
        "leads_device_id", "leads", ["device_id"], unique=False, postgresql_where=sa.text("device_id IS NOT NULL")
    )
    op.create_index("leads_person_key", "leads", ["workspace_id", "phone"], unique=True)
    op.create_table(
        "campaign_devices",
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("device_id", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("last_begun_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("out_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("out_code", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name="campaign_devices_campaign_id_fkey", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["device_id"], ["devices.id"], name="campaign_devices_device_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("campaign_id", "device_id", name="campaign_devices_pkey"),
    )
    op.create_index(
        "campaign_devices_active", "campaign_devices", ["device_id"], unique=False, postgresql_where=sa.text("active")
    )
    op.create_table(
        "departed_totals",
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("device_id", sa.BigInteger(), nullable=False),
        sa.Column("device_name", sa.Text(), nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name="departed_totals_campaign_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("campaign_id", "device_id", name="departed_totals_pkey"),
    )
    op.create_table(
        "idempotency",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=True),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column(
            "launched_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaigns.id"],
            name="idempotency_campaign_id_fkey",
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="idempotency_workspace_id_fkey"),
        sa.PrimaryKeyConstraint("workspace_id", "key", name="idempotency_pkey"),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=True),
        sa.Column("lead_id", sa.BigInteger(), nullable=True),
        sa.Column("device_id", sa.BigInteger(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), server_default="3", nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("variables", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("row", sa.Integer(), nullable=True),
        sa.Column("status", sa.Text(), server_default="queued", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("stalled_base_s", sa.Double(), server_default="0", nullable=False),
        sa.Column("attempt", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("attempts_used", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("slot", sa.SmallInteger(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("processing_worker_id", sa.Text(), nullable=True),
        sa.Column("processing_started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("requeued_by", sa.BigInteger(), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_reason", sa.Text(), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unknown_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("suppressed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(origin = 'campaign') = (campaign_id IS NOT NULL)", name=op.f("messages_campaign_has_origin")
        ),
        sa.CheckConstraint("origin IN ('inbox', 'single', 'sequence', 'campaign')", name=op.f("messages_origin")),
        sa.CheckConstraint("phone ~ '^[+][0-9]{5,15}$'", name=op.f("messages_phone")),
        sa.CheckConstraint(
            "status <> 'processing' OR (slot IS NOT NULL AND lease_until IS NOT NULL AND device_id IS NOT NULL AND processing_worker_id IS NOT NULL AND processing_started_at IS NOT NULL)",
            name=op.f("messages_processing_is_held"),
        ),
        sa.CheckConstraint(
            "status IN ('queued', 'processing', 'sent', 'delivered', 'read', 'unknown', 'failed', 'cancelled', 'suppressed')",
            name=op.f("messages_status"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('failed', 'unknown') OR error_code IS NOT NULL", name=op.f("messages_bad_news_has_code")
        ),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], name="messages_campaign_id_fkey"),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name="messages_device_id_fkey"),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name="messages_lead_id_fkey", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["requeued_by"], ["audit.id"], name="messages_requeued_by_fkey"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="messages_workspace_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="messages_pkey"),
    )
    op.create_index("messages_campaign_status", "messages", ["campaign_id", "status", "id"], unique=False)
    op.create_index(
        "messages_lead_id",
        "messages",
        ["lead_id"],
        unique=False,
        postgresql_where=sa.text("lead_id IS NOT NULL"),
    )
    op.create_index(
        "messages_failed_at",
        "messages",
        ["workspace_id", "failed_at"],
        unique=False,
        postgresql_where=sa.text("failed_at IS NOT NULL"),
    )
    op.create_index("messages_person_key", "messages", ["campaign_id", "phone"], unique=True)
    op.create_index(
        "messages_person_waits",
        "messages",
        ["workspace_id", "phone"],
        unique=False,
        postgresql_where=sa.text("status = 'queued'"),
    )
    op.create_index(
        "messages_queue",
        "messages",
        ["device_id", "campaign_id", "id"],
        unique=False,
        postgresql_where=sa.text("status = 'queued'"),
    )
    op.create_index(
        "messages_slot_key",
        "messages",
        ["device_id", "slot"],
        unique=True,
        postgresql_where=sa.text("slot IS NOT NULL"),
    )
    op.create_table(
        "rejected_rows",
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("cells", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name="rejected_rows_campaign_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("campaign_id", "row", name="rejected_rows_pkey"),
    )
    op.create_table(
        "attempts",
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("device_id", sa.BigInteger(), nullable=False),
        sa.Column("worker_id", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), server_default="begun", nullable=False),
        sa.Column("proof", sa.Text(), nullable=True),
        sa.Column("provider_message_id", sa.Text(), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("outcome <> 'not_sent' OR proof IS NOT NULL", name=op.f("attempts_not_sent_is_proven")),
        sa.CheckConstraint(
            "outcome IN ('begun', 'unknown', 'not_sent', 'sent', 'delivered', 'read')", name=op.f("attempts_outcome")
        ),
        sa.CheckConstraint(
            "proof IN ('answer', 'refused', 'closed', 'failed', 'receipt')", name=op.f("attempts_proof")
        ),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name="attempts_message_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("message_id", "number", name="attempts_pkey"),
    )
    op.create_index("attempts_begun_at", "attempts", ["begun_at"], unique=False, postgresql_using="brin")
    op.create_index(
        "attempts_provider_message_id",
        "attempts",
        ["provider_message_id"],
        unique=False,
        postgresql_where=sa.text("provider_message_id IS NOT NULL"),
    )
