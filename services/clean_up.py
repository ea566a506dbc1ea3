"""Forget what is kept for a time only: answers to repeated requests (24 h) and applied events (8 days,
longer than any provider repeats them)."""

from __future__ import annotations

from sqlalchemy import Connection, text


def clean_up(db: Connection) -> None:
    """Delete what is over its time."""
    db.execute(text("DELETE FROM idempotency WHERE launched_at < clock_timestamp() - interval '24 hours'"))
    db.execute(
        text(
            "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE applied_at IS NOT NULL"
            " AND received_at < clock_timestamp() - interval '8 days' ORDER BY id LIMIT 50000)"
        )
    )
