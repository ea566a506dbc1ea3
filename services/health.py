"""The health of devices and bridges: which are to be looked at, and what a look found (R22, R25)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from bridge.protocol import BridgeAwayError, Roster, SessionStatus
from db.queries import query
from domain.failures import DEVICE_CODES
from services import hand_over, trouble

LOOK_LIMIT_S = 20.0  # longer than any look; a worker that is lost with one keeps the others from it for so long


@dataclass(frozen=True, slots=True)
class Look:
    """What a health check changed. ``to_start``: sessions that the bridge does not know (any more)."""

    came_back: list[int]
    in_trouble: list[int]
    resumed: list[int]
    to_start: list[str]


def due(db: Connection) -> list[str]:
    """The bridges to look at now: their time has come, or a device of theirs asks for a look; nobody looks already."""
    return list(
        db.execute(
            text(
                "SELECT address FROM bridges b WHERE (b.look_until IS NULL OR b.look_until <= clock_timestamp())"
                " AND EXISTS (SELECT 1 FROM devices d WHERE d.bridge_address = b.address)"
                " AND (b.next_probe_at <= clock_timestamp() OR (b.away_since IS NULL AND EXISTS ("
                "   SELECT 1 FROM devices d WHERE d.bridge_address = b.address"
                "   AND d.next_check_at <= clock_timestamp())))"
            )
        ).scalars()
    )


def take(db: Connection, address: str) -> bool:
    """Whether this look is ours: it is still due, and from now on, until ``record`` or ``away``, nobody else's."""
    bridge = {"address": address, "limit_s": LOOK_LIMIT_S}
    db.execute(text("SELECT 1 FROM bridges WHERE address = :address FOR UPDATE"), bridge)
    if address not in due(db):
        return False
    db.execute(
        text(
            "UPDATE bridges SET look_until = clock_timestamp() + make_interval(secs => :limit_s) WHERE address = :address"
        ),
        bridge,
    )
    return True


def away(db: Connection, address: str, found: BridgeAwayError) -> None:
    """A look that was ours found the bridge away."""
    trouble.bridge_away(db, address, found.code, found.reason)
    db.execute(text("UPDATE bridges SET look_until = NULL WHERE address = :address"), {"address": address})


def record(db: Connection, address: str, roster: Roster, *, interval_s: float) -> Look:
    """Write down what a bridge says of all its sessions. Only rows that change are written.

    A device that cannot send gets a strike at each look that is due for it, and those come quickly until the third; one
    that can send again goes back to its campaigns. One that is parked cannot, until its time or until it is paired anew; nor
    can one of another provider than the bridge serves: a simulator must never pass for a phone. One that is unheard is left
    as it is.
    """
    sessions, unheard = roster.sessions, sorted(roster.unheard)
    db.execute(
        text(
            "UPDATE bridges SET away_since = NULL, error_code = NULL, error_reason = NULL, failures = 0,"
            " checked_at = clock_timestamp(), look_until = NULL, provider = :provider,"
            " next_probe_at = clock_timestamp() + make_interval(secs => :interval_s)"
            " WHERE address = :address"
        ),
        {"address": address, "provider": roster.provider, "interval_s": interval_s},
    )
    changed = db.execute(
        query("record_health"),
        {
            "address": address,
            "provider": roster.provider,
            "first_look_s": trouble.FIRST_LOOK_S,
            "coming_look_s": trouble.COMING_LOOK_S,
            "coming": list(trouble.COMING),
            "codes": list(DEVICE_CODES),
            "out": trouble.STRIKES_OUT,
            "unheard": unheard,
            "sessions": [status.session for status in sessions],
            "states": [status.state for status in sessions],
            "connected": [status.connected for status in sessions],
            "can_send": [status.can_send for status in sessions],
            "qr_required": [status.qr_required for status in sessions],
            "ages": [status.session_age_s for status in sessions],
            "phones": [status.phone for status in sessions],
            "errors": [status.last_error for status in sessions],
            "restricted": [status.restricted_until for status in sessions],
        },
    ).all()
    _write_what_meta_says(db, address, sessions)
    if unheard:
        _look_later(db, address, unheard)
    came_back = [row.id for row in changed if row.can_send and not row.could_send]
    in_trouble = [row.id for row in changed if row.could_send and not row.can_send]
    known = [status.session for status in sessions] + unheard
    to_start = db.execute(
        text(
            "SELECT session FROM devices WHERE bridge_address = :address AND session <> ALL(CAST(:known AS text[]))"
            " AND provider = coalesce(:provider, provider) ORDER BY id"
        ),
        {"address": address, "provider": roster.provider, "known": known},
    ).scalars()
    return Look(came_back, in_trouble, hand_over.let_back(db, came_back), list(to_start))


def _look_later(db: Connection, address: str, unheard: list[str]) -> None:
    """Those of which nothing could be learned are not asked about again at once."""
    db.execute(
        text(
            "UPDATE devices SET next_check_at = clock_timestamp() + make_interval(secs => :look_s)"
            " WHERE bridge_address = :address AND session = ANY(:unheard) AND next_check_at <= clock_timestamp()"
        ),
        {"address": address, "unheard": unheard, "look_s": trouble.COMING_LOOK_S},
    )


def _write_what_meta_says(db: Connection, address: str, sessions: list[SessionStatus]) -> None:
    """How good Meta finds a number, and how many people it may write to; what it does not tell stays."""
    told = [status for status in sessions if status.quality is not None or status.messaging_limit is not None]
    if told:
        db.execute(
            query("record_quality"),
            {
                "address": address,
                "sessions": [status.session for status in told],
                "qualities": [status.quality for status in told],
                "limits": [status.messaging_limit for status in told],
            },
        )


def look_soon(db: Connection, sessions: list[str]) -> None:
    """Something has happened to these sessions: ask for their health now. It is no look that counts strikes."""
    db.execute(
        text(
            "UPDATE bridges SET next_probe_at = clock_timestamp() WHERE away_since IS NULL"
            " AND address IN (SELECT bridge_address FROM devices WHERE session = ANY(:sessions))"
        ),
        {"sessions": sessions},
    )
