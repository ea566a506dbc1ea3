"""What an operator does to a campaign or to all sending: pause, resume, cancel, retry, stop, go. Each is audited.

What is not there or not possible in its present state raises Refused, NOT_FOUND or NOT_POSSIBLE, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text

from domain.failures import NOT_WORTH_RETRYING
from services import audit, distribute, wake
from services.refused import Refused


def pause(db: Connection, campaign_id: int, *, who: str) -> None:
    """No further message begins; those already handed to phones may still go out. Pausing twice is pausing once."""
    campaign = locked(db, campaign_id)
    status = campaign.status
    if status == "paused":
        _set(db, campaign_id, "pause_reason = 'operator'")
    elif status in ("accepted", "queued", "running"):
        # The way to paused leads through queued and running, also for a campaign of which nothing has begun.
        if status == "accepted":
            _deal_all(db, campaign_id)
            _set(db, campaign_id, "status = 'queued'")
        if status in ("accepted", "queued"):
            _set(db, campaign_id, "status = 'running'")
        _set(db, campaign_id, "status = 'paused', pause_reason = 'operator'")
    else:
        raise Refused("NOT_POSSIBLE", "A campaign that is {status} cannot be paused.", status=str(status))
    audit.write(db, campaign.workspace_id, who, "pause", f"campaign:{campaign_id}")


def resume(db: Connection, campaign_id: int, *, who: str) -> None:
    """Go on where it stopped. The time in the pause is not counted against any message's window."""
    campaign = locked(db, campaign_id)
    if campaign.status not in ("paused", "running"):
        raise Refused("NOT_POSSIBLE", "A campaign that is {status} cannot be resumed.", status=campaign.status)
    _let_all_back(db, campaign_id)
    _set(db, campaign_id, "status = 'running'")
    _fresh_windows(db, campaign_id=campaign_id)
    audit.write(db, campaign.workspace_id, who, "resume", f"campaign:{campaign_id}")
    wake.dispatcher(db)


def cancel(db: Connection, campaign_id: int, *, who: str) -> int:
    """End it now; everybody who waits is not sent to. Returns how many that were. Cancelling twice is cancelling once."""
    campaign = locked(db, campaign_id)
    if campaign.status in ("completed", "partial", "failed"):
        raise Refused("NOT_POSSIBLE", "This campaign has ended already ({status}).", status=campaign.status)
    if campaign.status == "cancelled":
        return 0
    _set(db, campaign_id, "status = 'cancelled'")
    # Counted only now: who was begun in between was sent to.
    waiting = int(
        db.execute(
            text("SELECT count(*) FROM messages WHERE campaign_id = :id AND status = 'cancelled'"), {"id": campaign_id}
        ).scalar_one()
    )
    audit.write(db, campaign.workspace_id, who, "cancel", f"campaign:{campaign_id}", {"waiting": waiting})
    return waiting


def retry(db: Connection, campaign_id: int, *, who: str, codes: Sequence[str] | None = None) -> int:
    """Queue again who failed, all of them or those with these codes; returns how many.

    Only what is proven not to have gone out: people whose outcome is in doubt stay as they are, and so do those on the
    never-send list. Numbers that WhatsApp does not take are tried again only when their code is named. An
    ended campaign opens again, and does not when there is nobody to retry.
    """
    campaign = locked(db, campaign_id)
    if campaign.status not in ("running", "paused", "queued", "partial", "failed"):
        raise Refused("NOT_POSSIBLE", "A campaign that is {status} has nobody to retry.", status=campaign.status)
    audit_id = audit.write(db, campaign.workspace_id, who, "retry", f"campaign:{campaign_id}", {"codes": codes})
    queued = db.execute(
        text(
            "UPDATE messages m SET status = 'queued', attempts_used = 0, due_at = clock_timestamp(),"
            " error_code = NULL, error_reason = NULL, requeued_by = :audit_id, doubt_left_by = NULL,"
            " stalled_base_s = coalesce((SELECT stalled_s FROM devices d WHERE d.id = m.device_id), 0)"
            " WHERE campaign_id = :id AND status IN ('failed', 'unknown')"
            " AND NOT has_unproven_attempt(m.id)"
            " AND NOT EXISTS (SELECT 1 FROM suppressions s WHERE s.workspace_id = m.workspace_id AND s.phone = m.phone)"
            " AND CASE WHEN CAST(:codes AS text[]) IS NULL THEN error_code <> ALL(:hopeless)"
            "     ELSE error_code = ANY(:codes) END"
        ),
        {
            "id": campaign_id,
            "audit_id": audit_id,
            "codes": None if codes is None else list(codes),
            "hopeless": list(NOT_WORTH_RETRYING),
        },
    ).rowcount
    audit.add(db, audit_id, {"count": queued})
    if queued:
        reopen(db, campaign_id, campaign.status, audit_id)
    return queued


def cancel_message(db: Connection, workspace_id: int, message_id: int, *, who: str) -> str:
    """A message that waits is not sent. Cancelling twice is cancelling once. Returns its status: ``unknown`` when an earlier
    attempt may have gone out."""
    ended = db.execute(
        text(
            "UPDATE messages SET status = 'cancelled', error_code = 'cancelled', error_reason = NULL"
            " WHERE id = :id AND workspace_id = :workspace_id AND status = 'queued' RETURNING status"
        ),
        {"id": message_id, "workspace_id": workspace_id},
    ).scalar_one_or_none()
    if ended is not None:
        audit.write(db, workspace_id, who, "cancel", f"message:{message_id}")
        return str(ended)
    status = db.execute(
        text("SELECT status FROM messages WHERE id = :id AND workspace_id = :workspace_id"),
        {"id": message_id, "workspace_id": workspace_id},
    ).scalar_one_or_none()
    if status is None:
        raise Refused("NOT_FOUND", "There is no message {id}.", id=message_id)
    if status != "cancelled":
        raise Refused(
            "NOT_POSSIBLE", "A message that is {message_status} does not wait any more.", message_status=status
        )
    return str(status)


def stop_all(db: Connection, workspace_id: int, *, who: str) -> None:
    """Nothing of this workspace begins any more until ``go``: one switch, checked at every begin."""
    db.execute(
        text(
            "UPDATE workspaces SET sending_stopped_at = coalesce(sending_stopped_at, clock_timestamp()) WHERE id = :id"
        ),
        {"id": workspace_id},
    )
    audit.write(db, workspace_id, who, "stop_all", f"workspace:{workspace_id}")


def go(db: Connection, workspace_id: int, *, who: str) -> None:
    """Sending goes on."""
    db.execute(text("UPDATE workspaces SET sending_stopped_at = NULL WHERE id = :id"), {"id": workspace_id})
    _fresh_windows(db, workspace_id=workspace_id)
    audit.write(db, workspace_id, who, "go", f"workspace:{workspace_id}")
    wake.dispatcher(db)


def _fresh_windows(db: Connection, *, campaign_id: int | None = None, workspace_id: int | None = None) -> None:
    """Waiting messages start a new window: what their device stalled meanwhile is not theirs. Touches no row usually."""
    db.execute(
        text(
            "UPDATE messages m SET stalled_base_s = d.stalled_s FROM devices d"
            " WHERE (m.campaign_id = :campaign_id OR m.workspace_id = :workspace_id)"
            " AND m.status = 'queued' AND d.id = m.device_id AND d.stalled_s > m.stalled_base_s"
        ),
        {"campaign_id": campaign_id, "workspace_id": workspace_id},
    )


def reopen(db: Connection, campaign_id: int, status: str, audit_id: int) -> None:
    """Some of its messages wait again: an ended campaign runs again, by this audited decision. Raises Refused, NOT_POSSIBLE,
    when it has no phone left to send them from."""
    if status in ("partial", "failed"):
        _set(db, campaign_id, "status = 'running', reopened_by = :audit_id", {"audit_id": audit_id})
        _let_all_back(db, campaign_id)
    _deal_all(db, campaign_id)
    wake.dispatcher(db)


def _let_all_back(db: Connection, campaign_id: int) -> None:
    """Whoever was taken out may try again; who still cannot send is out again at the next look (services/hand_over.py),
    which pauses the campaign when nobody is left."""
    db.execute(
        text(
            "UPDATE campaign_devices SET out_at = NULL, out_code = NULL WHERE campaign_id = :id AND out_at IS NOT NULL"
        ),
        {"id": campaign_id},
    )


def _deal_all(db: Connection, campaign_id: int) -> None:
    distribute.deal_waiting(db, campaign_id)
    left = text(
        "SELECT EXISTS (SELECT 1 FROM messages WHERE campaign_id = :id AND device_id IS NULL AND status = 'queued')"
    )
    if db.execute(left, {"id": campaign_id}).scalar_one():  # they would wait for ever
        raise Refused("NOT_POSSIBLE", "This campaign has no phone left: clone it to send from others.")


def locked(db: Connection, campaign_id: int) -> Any:
    """The campaign's id, workspace_id and status; nobody else changes it until this is over. Raises Refused, NOT_FOUND."""
    row = db.execute(
        text("SELECT id, workspace_id, status FROM campaigns WHERE id = :id FOR UPDATE"), {"id": campaign_id}
    ).one_or_none()
    if row is None:
        raise Refused("NOT_FOUND", "There is no broadcast {id}.", id=campaign_id)
    return row


def _set(db: Connection, campaign_id: int, changes: str, values: dict[str, Any] | None = None) -> None:
    db.execute(text(f"UPDATE campaigns SET {changes} WHERE id = :id"), {"id": campaign_id, **(values or {})})  # noqa: S608
