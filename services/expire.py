"""End the messages that could have been sent for too long and were not (R15).

A message's window runs only while it could have been sent. So what is measured is the device: ``stalled_s`` counts the
seconds in which it could send, had something to send and did not. In pace, caps, pauses, stops and while it or its bridge
is away it does not count; when workers are gone or this whole system is, it does. A message has used of its window what
its device stalled since the message was given to it.
"""

from __future__ import annotations

from sqlalchemy import Connection

from db.queries import query


def expire(db: Connection, *, window_s: float) -> dict[int | None, int]:
    """Count stalled time since the last call, and end what is over its window: ``failed`` with ``expired``, or
    ``unknown`` when an earlier attempt is in doubt. Returns how many by campaign (None: without one)."""
    stalled = list(db.execute(query("count_stalled")).scalars())
    if not stalled:
        return {}
    rows = db.execute(query("expire"), {"window_s": window_s, "device_ids": stalled})
    return {row.campaign_id: row.n for row in rows}
