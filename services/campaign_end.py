"""The end of a campaign: when nothing is queued or processing, what came of it (design: states)."""

from __future__ import annotations

from sqlalchemy import Connection, text

from domain.status import CampaignStatus, MessageStatus, end


def count(db: Connection, campaign_id: int) -> dict[MessageStatus, int]:
    """How many of a campaign's messages stand in each state now, those of devices deleted since included."""
    rows = db.execute(
        text(
            "SELECT status, sum(n)::bigint AS n FROM ("
            "  SELECT status, count(*) AS n FROM messages WHERE campaign_id = :id GROUP BY status"
            "  UNION ALL"
            "  SELECT key, value::bigint FROM departed_totals, jsonb_each_text(counts) WHERE campaign_id = :id"
            ") counted GROUP BY status"
        ),
        {"id": campaign_id},
    )
    return {MessageStatus(row.status): row.n for row in rows}


def end_if_done(db: Connection, campaign_id: int) -> CampaignStatus | None:
    """End a campaign of which nothing waits any more; returns how it ended, or None.

    Usually something waits, and one look at the index says so. Only then is the campaign's row locked and everything
    counted, so that nothing can be queued again between the count and the end.
    """
    if _anything_waits(db, campaign_id):
        return None
    status = db.execute(
        text("SELECT status FROM campaigns WHERE id = :id FOR UPDATE"), {"id": campaign_id}
    ).scalar_one_or_none()
    if status not in ("queued", "running", "paused"):
        return None
    counts = count(db, campaign_id)
    ended = end(counts)
    if ended is None:
        return None
    if status == "queued" and ended is not CampaignStatus.FAILED:
        # Receipts of an earlier life settled everything before anything began again.
        db.execute(text("UPDATE campaigns SET status = 'running' WHERE id = :id"), {"id": campaign_id})
    missed = counts.get(MessageStatus.FAILED, 0) + counts.get(MessageStatus.UNKNOWN, 0)
    db.execute(
        text("UPDATE campaigns SET status = :status, error_code = :code WHERE id = :id"),
        {
            "id": campaign_id,
            "status": str(ended),
            "code": ("none_sent" if missed else "no_recipients") if ended is CampaignStatus.FAILED else None,
        },
    )
    return ended


def _anything_waits(db: Connection, campaign_id: int) -> bool:
    return bool(
        db.execute(
            text(
                "SELECT EXISTS (SELECT 1 FROM messages WHERE campaign_id = :id AND status = 'queued')"
                " OR EXISTS (SELECT 1 FROM messages WHERE campaign_id = :id AND status = 'processing')"
            ),
            {"id": campaign_id},
        ).scalar_one()
    )


def end_anew(db: Connection, message_ids: list[int]) -> None:
    """These messages were raised, and had counted as not sent: their ended campaigns' ends are computed anew.

    A campaign that is still open is locked too: somebody may be ending it right now, by a count from before.
    """
    campaigns = db.execute(
        text(
            "SELECT id, status FROM campaigns"
            " WHERE id IN (SELECT campaign_id FROM messages WHERE id = ANY(:ids)) ORDER BY id FOR UPDATE"
        ),
        {"ids": message_ids},
    ).all()
    for campaign in campaigns:
        if campaign.status not in ("failed", "partial"):
            continue
        ended = end(count(db, campaign.id))
        if ended is not None and ended is not CampaignStatus.FAILED and ended != campaign.status:
            db.execute(
                text("UPDATE campaigns SET status = :status WHERE id = :id"),
                {"id": campaign.id, "status": str(ended)},
            )
