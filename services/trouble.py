"""What a device's or a bridge's own error does to it: it is not due until it can send again, and nobody pays for it.

A device that WhatsApp restricts or bans is *parked*: it sends nothing until its time, also if its bridge calls it able,
because each try makes it worse.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

STRIKES_OUT = 3
PARKING = ("restricted", "banned")
PARKED_S = 300.0  # a restriction of which no bridge tells the end; doubled while no good send comes in between
LONGEST_PARKED_S = 86_400.0
THROTTLE_WAIT_S = 30.0  # when they refuse and do not say for how long
FIRST_LOOK_S = 2.0  # how soon a device in trouble is looked at again; then doubled, up to the usual health check
# States from which a session comes back by itself. After a bridge has restarted all its sessions are there at once, and to
# strike them out in six seconds would pile the work of a whole fleet on the first few that are back.
COMING = ("starting", "connecting", "no_session")
COMING_LOOK_S = 20.0
BRIDGE_LOOK_S = (1.0, 2.0, 5.0, 10.0, 30.0)


def strike(db: Connection, device_id: int, code: str, reason: str) -> None:
    """An error of the device itself. The third in a row takes it out of its campaigns (services/hand_over.py); from then
    on it is looked at in the usual round, so that one which its bridge calls able, and which is not, is not hammered. One
    that is parked is out with the next look. Of several sends that are refused at once only the first counts."""
    if code in PARKING:
        _park(db, device_id, code, reason)
        return
    db.execute(
        text(
            "UPDATE devices SET can_send = false, state = :code, error_code = :code, error_reason = :reason,"
            " strikes = greatest(strikes, least(strikes + 1, :out)),"
            " next_check_at = CASE WHEN strikes + 1 >= :out THEN next_check_at"
            "   ELSE least(next_check_at, clock_timestamp() + make_interval(secs => :look_s)) END"
            " WHERE id = :id AND (can_send OR in_flight_limit = 1)"
        ),
        {"id": device_id, "code": code, "reason": reason, "out": STRIKES_OUT, "look_s": FIRST_LOOK_S},
    )


def _park(db: Connection, device_id: int, code: str, reason: str) -> None:
    """Until a look, which comes soon, brings the end of a restriction (db/sql/record_health.sql), nobody knows it. Strikes
    count on beyond the third and so double the time; of several sends that are refused at once only the first counts."""
    db.execute(
        text(
            "UPDATE devices SET can_send = false, state = :code, error_code = :code, error_reason = :reason,"
            " strikes = strikes + 1,"
            " parked_until = CASE WHEN :code = 'banned' THEN 'infinity' ELSE clock_timestamp() + make_interval("
            "   secs => least(:longest_s, :parked_s * 2 ^ least(greatest(strikes + 1 - :out, 0), 20))) END,"
            " next_check_at = least(next_check_at, clock_timestamp() + make_interval(secs => :look_s))"
            " WHERE id = :id AND (parked_until IS NULL OR parked_until <= clock_timestamp() OR :code = 'banned')"
        ),
        {
            "id": device_id,
            "code": code,
            "reason": reason,
            "out": STRIKES_OUT,
            "parked_s": PARKED_S,
            "longest_s": LONGEST_PARKED_S,
            "look_s": FIRST_LOOK_S,
        },
    )


def unpark(db: Connection, device_id: int) -> None:
    """Somebody has seen to it: from now on it can send when its bridge says so."""
    db.execute(text("UPDATE devices SET parked_until = NULL WHERE id = :id"), {"id": device_id})


def throttled(db: Connection, device_id: int, code: str, wait_s: float) -> None:
    """It cannot go on just now: the device waits, as they ask, which is no error of anyone."""
    db.execute(
        text(
            "UPDATE devices SET next_send_at = greatest(next_send_at, clock_timestamp() + make_interval(secs => :wait_s)),"
            " error_code = :code, error_reason = NULL WHERE id = :id"
        ),
        {"id": device_id, "code": code, "wait_s": wait_s},
    )


def refund(db: Connection, device_id: int) -> None:
    """Nothing was sent, so nothing of the device's caps was used; a cap that only this had reached opens again."""
    db.execute(
        text(
            "UPDATE devices SET hour_count = greatest(hour_count - 1, 0), day_count = greatest(day_count - 1, 0),"
            " next_send_at = CASE WHEN hour_count >= hourly_cap OR day_count >= daily_cap"
            "   THEN clock_timestamp() + make_interval(secs => max_gap_s) ELSE next_send_at END"
            " WHERE id = :id"
        ),
        {"id": device_id},
    )


def bridge_away(db: Connection, address: str, code: str, reason: str) -> None:
    """The bridge does not answer or refuses our secret: all its devices wait, and one probe at a time looks again."""
    db.execute(
        text(
            "UPDATE bridges SET away_since = coalesce(away_since, clock_timestamp()), error_code = :code,"
            " error_reason = :reason, failures = failures + 1,"
            " next_probe_at = clock_timestamp()"
            "   + make_interval(secs => (CAST(:looks AS float[]))[least(failures + 1, :last)])"
            " WHERE address = :address AND (away_since IS NULL OR next_probe_at <= clock_timestamp())"
        ),
        {
            "address": address,
            "code": code,
            "reason": reason,
            "looks": list(BRIDGE_LOOK_S),
            "last": len(BRIDGE_LOOK_S),
        },
    )
