"""Forget what is kept for a time only: answers to repeated requests (24 h), counts by the minute (8 days), applied events
(8 days, longer than any provider repeats them), and pairs whose time is over."""

from __future__ import annotations

from sqlalchemy import Connection, text

BATCH = 50_000  # events a transaction; a day of a large fleet is millions


def clean_up(db: Connection) -> bool:
    """Delete what is over its time, a batch of it; returns whether there may be more."""
    db.execute(text("DELETE FROM idempotency WHERE launched_at < clock_timestamp() - interval '24 hours'"))
    db.execute(text("DELETE FROM minute_counts WHERE minute < clock_timestamp() - interval '8 days'"))
    db.execute(text("DELETE FROM pairs WHERE next_at < clock_timestamp()"))
    deleted = db.execute(
        text(
            "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE applied_at IS NOT NULL"
            " AND received_at < clock_timestamp() - interval '8 days' ORDER BY id LIMIT :batch)"
        ),
        {"batch": BATCH},
    )
    return deleted.rowcount == BATCH
