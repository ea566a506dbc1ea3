"""The indexes of campaigns leave out what belongs to none.

With them in, "queued and of no campaign" looked like a cheap range to a planner that had last seen none of those: with
50,000 single sends waiting, each begin then read all of them (10 ms instead of 0.5 ms).
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

OF_A_CAMPAIGN = sa.text("campaign_id IS NOT NULL")


def upgrade() -> None:
    op.drop_index("messages_person_key", "messages")
    op.create_index(
        "messages_person_key", "messages", ["campaign_id", "phone"], unique=True, postgresql_where=OF_A_CAMPAIGN
    )
    op.drop_index("messages_campaign_status", "messages")
    op.create_index(
        "messages_campaign_status", "messages", ["campaign_id", "status", "id"], postgresql_where=OF_A_CAMPAIGN
    )
