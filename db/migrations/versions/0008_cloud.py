"""Meta's Cloud API: its numbers, templates and media, who may be written to freely, and what Meta says of a number."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
NOW = sa.text("clock_timestamp()")

# A message that WhatsApp has accepted, and of which it has not told yet what came of it, holds no slot.
HELD = (
    "status <> 'processing' OR ((slot IS NOT NULL OR accepted_at IS NOT NULL) AND lease_until IS NOT NULL"
    " AND device_id IS NOT NULL AND processing_worker_id IS NOT NULL AND processing_started_at IS NOT NULL)"
)

# Meta keeps no ledger that could be asked, but tells by itself what came of a message. So long it has time for that: what it
# took is not called unknown before, and about what is unknown nobody is asked.
WORD = """
CREATE FUNCTION time_for_word() RETURNS interval LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT interval '15 minutes' $$;

CREATE FUNCTION awaits_word(message_id bigint, attempt smallint) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT EXISTS (
    SELECT 1 FROM attempts a JOIN devices d ON d.id = a.device_id AND d.provider = 'cloud'
    WHERE a.message_id = $1 AND a.number = $2 AND a.begun_at > clock_timestamp() - time_for_word())
$$;
"""


def upgrade() -> None:
    op.execute(WORD)
    op.add_column("devices", sa.Column("pair_gap_s", sa.Float(), nullable=True))
    op.add_column("campaigns", sa.Column("template", postgresql.JSONB(), nullable=True))
    op.add_column("messages", sa.Column("template", postgresql.JSONB(), nullable=True))
    op.add_column("messages", sa.Column("accepted_at", TIME, nullable=True))
    op.drop_constraint(op.f("messages_processing_is_held"), "messages", type_="check")
    op.create_check_constraint(op.f("messages_processing_is_held"), "messages", HELD)
    op.create_index(
        "messages_accepted",
        "messages",
        ["lease_until"],
        postgresql_where=sa.text("status = 'processing' AND slot IS NULL"),
    )
    _numbers()
    _templates()
    _people()


def _numbers() -> None:
    op.create_table(
        "cloud_numbers",
        sa.Column("device_id", sa.BigInteger(), sa.ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("business_id", sa.Text(), nullable=False),
        sa.Column("sealed_token", sa.LargeBinary(), nullable=False),
        sa.Column("quality", sa.Text(), nullable=True),
        sa.Column("messaging_limit", sa.Text(), nullable=True),
    )
    op.create_index("cloud_numbers_business_id", "cloud_numbers", ["business_id"])
    op.create_table(
        "alerts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("device_id", sa.BigInteger(), sa.ForeignKey("devices.id", ondelete="CASCADE"), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("details", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint("severity IN ('info', 'warning', 'serious')", name=op.f("alerts_severity")),
    )
    op.create_index("alerts_event_key", "alerts", ["device_id", "event_id"], unique=True)


def _templates() -> None:
    op.create_table(
        "templates",
        sa.Column("business_id", sa.Text(), primary_key=True),
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("language", sa.Text(), primary_key=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("parameter_format", sa.Text(), nullable=False),
        sa.Column("components", postgresql.JSONB(), nullable=False),
        sa.Column("synced_at", TIME, nullable=False, server_default=NOW),
    )
    op.create_table(
        "media",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), primary_key=True),
        sa.Column("workspace_id", sa.BigInteger(), sa.ForeignKey("workspaces.id"), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("mimetype", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", TIME, nullable=False, server_default=NOW),
    )
    op.create_index("media_digest_key", "media", ["workspace_id", "digest", "filename"], unique=True)
    op.create_table(
        "media_uploads",
        sa.Column("media_id", sa.BigInteger(), sa.ForeignKey("media.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("device_id", sa.BigInteger(), sa.ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("provider_media_id", sa.Text(), nullable=False),
        sa.Column("uploaded_at", TIME, nullable=False, server_default=NOW),
    )


def _people() -> None:
    op.create_table(
        "conversations",
        sa.Column("device_id", sa.BigInteger(), sa.ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("phone", sa.Text(), primary_key=True),
        sa.Column("last_inbound_at", TIME, nullable=False),
    )
    # Unlogged: what it holds is over after seconds, and a server that crashes loses no more than that.
    op.create_table(
        "pairs",
        sa.Column("device_id", sa.BigInteger(), primary_key=True),
        sa.Column("phone", sa.Text(), primary_key=True),
        sa.Column("next_at", TIME, nullable=False),
        prefixes=["UNLOGGED"],
    )
