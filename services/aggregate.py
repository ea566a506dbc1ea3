"""Counters and ends of campaigns, kept out of the hot path."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import Connection, text

from domain.status import CampaignStatus
from services import campaign_end


@dataclass(frozen=True, slots=True)
class Progress:
    """A campaign as just counted; ``ended`` when this count ended it. ``started`` tells whether anything has begun."""

    campaign_id: int
    status: str
    counts: dict[str, int]
    ended: CampaignStatus | None


def to_count(db: Connection) -> list[int]:
    """Campaigns that are open, and every ten seconds those that ended in the last quarter of an hour: their receipts
    still come."""
    return list(
        db.execute(
            text(
                "SELECT id FROM campaigns WHERE status IN ('queued', 'running', 'paused')"
                " OR (finished_at > clock_timestamp() - interval '15 minutes'"
                "     AND counted_at < clock_timestamp() - interval '10 seconds') ORDER BY id"
            )
        ).scalars()
    )


def aggregate(db: Connection, campaign_id: int) -> Progress:
    """Count a campaign and end it when nothing of it is queued or processing."""
    ended = campaign_end.end_if_done(db, campaign_id)
    counts = {str(status): n for status, n in campaign_end.count(db, campaign_id).items()}
    status = db.execute(
        text(
            "UPDATE campaigns SET counts = CAST(:counts AS jsonb), counted_at = clock_timestamp() WHERE id = :id"
            " RETURNING status"
        ),
        {"id": campaign_id, "counts": json.dumps(counts)},
    ).scalar_one()
    return Progress(campaign_id, status, counts, ended)
