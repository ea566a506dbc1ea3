"""Rows that the model writes past the engine: its devices, time that passes, and that nothing is left of an example."""

from __future__ import annotations

from people import add_devices
from placing import unguarded
from sqlalchemy import Connection, text

WAIT_S = 300.0
_FORGET = (
    *("events", "marks", "departed_totals", "attempts", "messages", "campaign_devices", "rejected_rows", "idempotency"),
    *("campaigns", "leads", "devices", "suppressions", "audit"),
)
# A device at its cap waits for the hour's end, which comes with the hour only.
_PASS = """
WITH m AS (UPDATE messages SET lease_until = lease_until - by, due_at = due_at - by, unknown_at = unknown_at - by
           FROM make_interval(secs => :s) AS by),
 a AS (UPDATE attempts SET begun_at = begun_at - by FROM make_interval(secs => :s) AS by),
 d AS (UPDATE devices SET next_check_at = next_check_at - by,
         next_send_at = CASE WHEN hour_count >= hourly_cap AND by < interval '1 hour' THEN next_send_at
                        ELSE next_send_at - by END,
         hour = CASE WHEN by < interval '1 hour' THEN hour ELSE hour - by END
       FROM make_interval(secs => :s) AS by),
 b AS (UPDATE bridges SET next_probe_at = next_probe_at - by, away_since = away_since - by
       FROM make_interval(secs => :s) AS by),
 c AS (UPDATE campaigns SET scheduled_at = scheduled_at - by, finished_at = finished_at - by, counted_at = counted_at - by
       FROM make_interval(secs => :s) AS by),
 i AS (UPDATE idempotency SET launched_at = launched_at - by FROM make_interval(secs => :s) AS by)
UPDATE marks SET at = at - by FROM make_interval(secs => :s) AS by
"""


def age(db: Connection, by_s: float) -> None:
    """Everything that has a time is older by so much."""
    db.execute(text(_PASS), {"s": by_s})


def wait_longer(db: Connection) -> None:
    """A back-off of seconds would be over or not by how fast this machine is."""
    db.execute(
        text(
            "UPDATE messages SET due_at = due_at + make_interval(secs => :s) WHERE status = 'queued' AND attempt > 0"
            " AND due_at > clock_timestamp() AND due_at < clock_timestamp() + interval '20 seconds'"
        ),
        {"s": WAIT_S},
    )


def take_turns(db: Connection) -> None:
    """Which of two campaigns begins first is open; a replay must find the same one."""
    db.execute(
        text(
            "UPDATE campaign_devices SET last_begun_at = to_timestamp(0) + make_interval(secs => campaign_id)"
            " WHERE last_begun_at IS NULL"
        )
    )


def three_devices(db: Connection) -> list[int]:
    """The first has no gap, the second sends two at once and two an hour, the third has a gap."""
    db.execute(
        text(
            "UPDATE bridges SET away_since = NULL, error_code = NULL, error_reason = NULL, failures = 0,"
            " next_probe_at = clock_timestamp()"
        )
    )
    db.execute(text("UPDATE workspaces SET sending_stopped_at = NULL"))
    devices = add_devices(db, 3)
    db.execute(text("UPDATE devices SET in_flight_limit = 2, hourly_cap = 2 WHERE id = :id"), {"id": devices[1]})
    db.execute(text("UPDATE devices SET min_gap_s = 300, max_gap_s = 300 WHERE id = :id"), {"id": devices[2]})
    return devices


def forget(db: Connection) -> None:
    with unguarded(db):
        for table in _FORGET:
            db.execute(text(f"DELETE FROM {table}"))
