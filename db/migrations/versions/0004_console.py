"""What the console needs: drafts with their file and people, decisions on messages in doubt, who runs, counts by minute."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NOW = sa.text("clock_timestamp()")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("campaigns", sa.Column("device_ids", ARRAY(sa.BigInteger), nullable=True))
    op.add_column("campaigns", sa.Column("save_leads", sa.Boolean, nullable=False, server_default=sa.text("false")))
    op.add_column("campaigns", sa.Column("edited_at", TIME, nullable=True))
    op.add_column("campaigns", sa.Column("phone_header", sa.Text, nullable=True))
    op.create_table(
        "draft_files",
        sa.Column("campaign_id", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("encoding", sa.Text, nullable=True),
        sa.Column("delimiter", sa.Text, nullable=True),
        sa.Column("phone_column", sa.Text, nullable=True),
        sa.Column("name_column", sa.Text, nullable=True),
        sa.Column("found", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", name="draft_files_pkey"),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name="draft_files_campaign_id_fkey", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "draft_people",
        sa.Column("campaign_id", sa.BigInteger, nullable=False),
        sa.Column("row", sa.Integer, nullable=False),
        sa.Column("phone", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=True),
        sa.Column("variables", JSONB, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("warning", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("campaign_id", "row", name="draft_people_pkey"),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name="draft_people_campaign_id_fkey", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "processes",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("threads", sa.Integer, nullable=False),
        sa.Column("leads", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("started_at", TIME, nullable=False, server_default=NOW),
        sa.Column("seen_at", TIME, nullable=False, server_default=NOW),
        sa.PrimaryKeyConstraint("id", name="processes_pkey"),
        sa.CheckConstraint("kind IN ('worker', 'dispatcher')", name="kind"),
    )
    op.create_table(
        "reports",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("facts", JSONB, nullable=False),
        sa.Column("at", TIME, nullable=False, server_default=NOW),
        sa.PrimaryKeyConstraint("name", name="reports_pkey"),
    )
    op.create_table(
        "minute_counts",
        sa.Column("minute", TIME, nullable=False),
        sa.Column("workspace_id", sa.BigInteger, nullable=False),
        sa.Column("campaign_id", sa.BigInteger, nullable=False),
        sa.Column("sent", sa.Integer, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("minute", "workspace_id", "campaign_id", name="minute_counts_pkey"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="minute_counts_workspace_id_fkey"),
    )
    op.add_column("messages", sa.Column("doubt_left_by", sa.BigInteger, nullable=True))
    op.create_foreign_key("messages_doubt_left_by_fkey", "messages", "audit", ["doubt_left_by"], ["id"])
    op.create_index(
        # Not "of no campaign": begin asks for that, and would be planned to read all of this index (see 0003)
        "messages_single_phone",
        "messages",
        ["workspace_id", "phone"],
        postgresql_where=sa.text("origin <> 'campaign'"),
    )
