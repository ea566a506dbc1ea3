"""What happened to a campaign: who did what to it and to its messages, and what it did by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from db.queries import query
from domain import failures
from services.campaign_views import status_of

NEWEST = 200


@dataclass(frozen=True, slots=True)
class Happened:
    """Something at a time. ``who`` is None for what nobody did.

    ``what`` is the action of the audit trail (launch, pause, resume, retry, cancel, retry_unknown, leave_unknown, and
    stop_all or go for all sending), or one of the campaign's own: created, due, started, ended, device_left. ``name`` is the
    device that left, or the person whose message ``message_id`` is; ``reason`` says why a device left; ``details`` are the
    action's.
    """

    at: datetime
    who: str | None
    what: str
    message_id: int | None
    name: str | None
    reason: str | None
    details: dict[str, Any]


def read(db: Connection, workspace_id: int, campaign_id: int) -> list[Happened] | None:
    """The newest 200, the newest first; None when there is no such campaign."""
    if status_of(db, workspace_id, campaign_id) is None:
        return None
    rows = db.execute(query("timeline"), {"campaign_id": campaign_id, "limit": NEWEST}).mappings()
    return [Happened(reason=failures.in_words(row["details"].get("code"), None), **row) for row in rows]
