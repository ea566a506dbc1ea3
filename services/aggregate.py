"""Counters and ends of campaigns, kept out of the hot path."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import Connection, text

from services import campaign_end


@dataclass(frozen=True, slots=True)
class Progress:
    """A campaign as just counted; ``final``: it has ended, and this is its first count since."""

    campaign_id: int
    status: str
    counts: dict[str, int]
    final: bool


def to_count(db: Connection) -> list[int]:
    """Campaigns that are open, those that have ended since their last count, and for thirty days those that have ended,
    whose receipts still come: the older they are the more seldom, at first every ten seconds, after a day every half hour.
    Open ones come first: their ends are found here.
    """
    return list(
        db.execute(
            text(
                "SELECT id FROM campaigns WHERE status IN ('queued', 'running', 'paused')"
                " OR (finished_at IS NOT NULL AND (counted_at IS NULL OR counted_at < finished_at))"
                " OR (finished_at > clock_timestamp() - interval '30 days' AND counted_at < clock_timestamp()"
                "     - greatest(interval '10 seconds', (clock_timestamp() - finished_at) / 50))"
                " ORDER BY finished_at DESC NULLS FIRST, id"
            )
        ).scalars()
    )


def aggregate(db: Connection, campaign_id: int) -> Progress:
    """Count a campaign and end it when nothing of it is queued or processing."""
    campaign_end.end_if_done(db, campaign_id)
    counts = {str(status): n for status, n in campaign_end.count(db, campaign_id).items()}
    row = db.execute(
        text(
            "UPDATE campaigns c SET counts = CAST(:counts AS jsonb), counted_at = clock_timestamp()"
            " FROM campaigns before WHERE c.id = :id AND before.id = c.id"
            " RETURNING c.status, c.finished_at IS NOT NULL"
            "   AND (before.counted_at IS NULL OR before.counted_at < c.finished_at) AS final"
        ),
        {"id": campaign_id, "counts": json.dumps(counts)},
    ).one()
    return Progress(campaign_id, row.status, counts, row.final)
