"""Breakers: until when a device is parked, and who looks at a bridge."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("devices", sa.Column("parked_until", TIME, nullable=True))
    op.add_column("bridges", sa.Column("look_until", TIME, nullable=True))
