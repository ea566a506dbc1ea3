"""Messages in doubt: a person decides whether each is sent again, and may arrive twice, or is left as it is.

A message that is left stays ``unknown`` and is not asked about again; a receipt that comes later still raises it. What is
decided for all of a campaign is decided for those that were in doubt at ``as_of``, which is when somebody saw them: the same
decision again finds nobody, also when some of them went out again and are in doubt again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from db.queries import query
from services import audit, control, wake
from services.campaign_views import status_of
from services.message_views import with_reason
from services.refused import Refused

SHOWN = 100


def undecided(db: Connection, workspace_id: int, campaign_id: int) -> list[dict[str, Any]] | None:
    """The first 100 about which nobody has decided: id, phone, name, device, code, reason, ``unknown_at``.

    None when there is no such campaign."""
    if status_of(db, workspace_id, campaign_id) is None:
        return None
    rows = db.execute(query("undecided"), {"campaign_id": campaign_id, "as_of": None, "limit": SHOWN}).mappings()
    return [with_reason(row) for row in rows]


def send_again(db: Connection, workspace_id: int, message_id: int, *, who: str) -> None:
    """It goes out again and may double. Raises Refused: NOT_FOUND; NOT_POSSIBLE when it is not in doubt, WhatsApp may still
    tell what came of it, its campaign was cancelled, its person is on the never-send list, or its device cannot send: while
    an attempt is in doubt it cannot go to another, and would only be in doubt again."""
    campaign_id = _found(db, workspace_id, message_id).campaign_id
    campaign = control.locked(db, campaign_id) if campaign_id else None
    message = _in_doubt(db, message_id)
    if message.awaited:
        raise Refused(
            "NOT_POSSIBLE", "WhatsApp may still tell what came of this message: decide a quarter of an hour later."
        )
    if message.suppressed:
        raise Refused("NOT_POSSIBLE", "This person is on the never-send list.")
    if message.away is not None:
        raise Refused(
            "NOT_POSSIBLE", "{name}, which this was sent from, cannot send: connect it first.", name=message.away
        )
    if campaign is not None:
        _check_open(campaign.status)
    audit_id = audit.write(db, workspace_id, who, "retry_unknown", f"message:{message_id}")
    _queue(db, [message_id], audit_id)
    if campaign is not None:
        control.reopen(db, campaign_id, campaign.status, audit_id)
    wake.dispatcher(db)


def send_all_again(db: Connection, campaign_id: int, *, as_of: datetime, who: str) -> int:
    """All that were undecided at ``as_of`` go out again and may double; returns how many. Raises Refused as above."""
    campaign = control.locked(db, campaign_id)
    _check_open(campaign.status)
    ids = _lock_undecided(db, campaign_id, as_of)
    if ids:
        audit_id = audit.write(
            db, campaign.workspace_id, who, "retry_unknown", f"campaign:{campaign_id}", {"count": len(ids)}
        )
        _queue(db, ids, audit_id)
        control.reopen(db, campaign_id, campaign.status, audit_id)
    return len(ids)


def leave(db: Connection, workspace_id: int, message_id: int, *, who: str) -> None:
    """It stays as it is, and nobody is asked again; leaving it twice is leaving it once. Raises Refused: NOT_FOUND, or
    NOT_POSSIBLE when it is not in doubt."""
    _found(db, workspace_id, message_id)
    if _in_doubt(db, message_id).doubt_left_by is None:
        _leave(db, [message_id], audit.write(db, workspace_id, who, "leave_unknown", f"message:{message_id}"))


def leave_all(db: Connection, campaign_id: int, *, as_of: datetime, who: str) -> int:
    """All that were undecided at ``as_of`` stay as they are; returns how many. Raises Refused, NOT_FOUND."""
    campaign = control.locked(db, campaign_id)
    ids = _lock_undecided(db, campaign_id, as_of)
    if ids:
        details = {"count": len(ids)}
        _leave(
            db, ids, audit.write(db, campaign.workspace_id, who, "leave_unknown", f"campaign:{campaign_id}", details)
        )
    return len(ids)


def _found(db: Connection, workspace_id: int, message_id: int) -> Any:
    row = db.execute(
        text("SELECT campaign_id FROM messages WHERE id = :id AND workspace_id = :workspace_id"),
        {"id": message_id, "workspace_id": workspace_id},
    ).one_or_none()
    if row is None:
        raise Refused("NOT_FOUND", "There is no message {id}.", id=message_id)
    return row


def _in_doubt(db: Connection, message_id: int) -> Any:
    """The message, locked, so that no receipt settles it while somebody decides."""
    row = db.execute(
        text(
            "SELECT status, doubt_left_by, awaits_word(id, attempt) AS awaited, EXISTS (SELECT 1 FROM suppressions s"
            "   WHERE s.workspace_id = m.workspace_id AND s.phone = m.phone) AS suppressed,"
            " (SELECT d.name FROM devices d WHERE d.id = m.device_id AND NOT d.can_send) AS away"
            " FROM messages m WHERE id = :id FOR UPDATE"
        ),
        {"id": message_id},
    ).one()
    if row.status != "unknown":
        raise Refused("NOT_POSSIBLE", "This message is not in doubt.")
    return row


def _check_open(status: str) -> None:
    if status == "cancelled":
        raise Refused("NOT_POSSIBLE", "Its campaign was cancelled.")


def _lock_undecided(db: Connection, campaign_id: int, as_of: datetime) -> list[int]:
    locking = text(f"{query('undecided').text} FOR UPDATE OF m")
    return list(db.execute(locking, {"campaign_id": campaign_id, "as_of": as_of, "limit": None}).scalars())


def _queue(db: Connection, ids: list[int], audit_id: int) -> None:
    db.execute(
        text(
            "UPDATE messages m SET status = 'queued', attempts_used = 0, due_at = clock_timestamp(),"
            " requeued_by = :audit_id, doubt_left_by = NULL, error_code = NULL, error_reason = NULL,"
            " stalled_base_s = coalesce((SELECT stalled_s FROM devices d WHERE d.id = m.device_id), 0)"
            " WHERE id = ANY(:ids)"
        ),
        {"ids": ids, "audit_id": audit_id},
    )


def _leave(db: Connection, ids: list[int], audit_id: int) -> None:
    db.execute(
        text("UPDATE messages SET doubt_left_by = :audit_id WHERE id = ANY(:ids)"), {"ids": ids, "audit_id": audit_id}
    )
