"""How fast it goes: what was sent and failed by the minute, kept for charts, and a campaign's rate now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from sqlalchemy import Connection

from db.queries import query

# Minutes of a bucket by hours looked back: some 60 to 100 points, as many as a chart can show.
BUCKETS: Final = MappingProxyType({1: 1, 6: 5, 24: 15})


@dataclass(frozen=True, slots=True)
class Bucket:
    """From ``at`` on, for a bucket's length: messages sent and failed per minute, on average."""

    at: datetime
    sent: float
    failed: float


def count(db: Connection) -> None:
    """Count this minute and the two before it anew. What is counted belongs to the minute in which it was begun; what
    failed, to the one in which it ended."""
    db.execute(query("count_minutes"))


def per_minute(db: Connection, workspace_id: int, *, hours: int, campaign_id: int | None = None) -> list[Bucket]:
    """The last 1, 6 or 24 ``hours`` of a workspace or of one campaign of it, the oldest first.

    They end with the last minute that was counted whole. Empty when none ever was.
    """
    rows = db.execute(
        query("minutes"),
        {"workspace_id": workspace_id, "campaign_id": campaign_id, "hours": hours, "bucket": BUCKETS[hours]},
    )
    return [Bucket(row.at, row.sent, row.failed) for row in rows]


def now(db: Connection, campaign_id: int) -> float | None:
    """Messages per minute that a campaign sends now; None while nobody can tell."""
    rate: float | None = db.execute(query("rate"), {"campaign_id": campaign_id}).scalar_one_or_none()
    return rate
