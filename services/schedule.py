"""Fire the campaigns whose time has come (R16)."""

from __future__ import annotations

from sqlalchemy import Connection, text

from services import devices


def fire_due(db: Connection) -> dict[int, str]:
    """Scheduled campaigns that are due become ``accepted``; returns the new status of each.

    One of whose devices it is known that none can send fails at once with ``no_device``; a bridge that does not answer
    means wait, so it is accepted; a device that has only just gone is given the few seconds that make it certain, and the
    campaign is left ``scheduled`` so long. SKIP LOCKED and the guarded move let each fire exactly once.
    """
    due = db.execute(
        text(
            "SELECT id FROM campaigns WHERE status = 'scheduled' AND scheduled_at <= clock_timestamp()"
            " ORDER BY scheduled_at LIMIT 100 FOR UPDATE SKIP LOCKED"
        )
    ).scalars()
    return {campaign_id: _fire(db, campaign_id) for campaign_id in due.all()}


def _fire(db: Connection, campaign_id: int) -> str:
    candidates = devices.of_campaign(db, campaign_id)
    if any(device.may_send for device in candidates):
        to, code = "accepted", None
    elif any(device.may_come_back for device in candidates):
        return "scheduled"
    else:
        to, code = "failed", "no_device"
    db.execute(
        text("UPDATE campaigns SET status = :to, error_code = :code WHERE id = :id AND status = 'scheduled'"),
        {"id": campaign_id, "to": to, "code": code},
    )
    return to


def accepted(db: Connection) -> list[tuple[int, str]]:
    """Campaigns that wait to be spread over devices: (campaign id, id of the job that does it)."""
    rows = db.execute(text("SELECT id, job_id FROM campaigns WHERE status = 'accepted' ORDER BY id LIMIT 100"))
    return [(row.id, str(row.job_id)) for row in rows]
