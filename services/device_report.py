"""What each device did for a campaign (R35)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from db.queries import query
from domain import failures
from domain.status import REACHED, MessageStatus
from services.campaign_views import status_of


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """A device's people by where they stand now; the figures add up to ``total``. ``sent`` has those delivered and read.

    ``device_id`` and ``name`` are None for the people whom no device has been given. A device that was ``deleted`` keeps its
    name and figures. ``out_at`` and ``out_reason``: since when and why the campaign does not use it any more.
    """

    device_id: int | None
    name: str | None
    deleted: bool
    total: int
    pending: int
    sent: int
    failed: int
    unknown: int
    cancelled: int
    suppressed: int
    out_at: datetime | None
    out_reason: str | None


def report(db: Connection, workspace_id: int, campaign_id: int) -> list[DeviceLine] | None:
    """By name; the deleted ones come last. None when there is no such campaign."""
    if status_of(db, workspace_id, campaign_id) is None:
        return None
    rows = db.execute(query("device_report"), {"campaign_id": campaign_id})
    return [
        DeviceLine(
            row.device_id,
            row.name,
            row.deleted,
            sum(row.counts.values()),
            *_figures(row.counts),
            row.out_at,
            failures.in_words(row.out_code, None),
        )
        for row in rows
    ]


def _figures(counts: dict[str, int]) -> tuple[int, int, int, int, int, int]:
    def of(*statuses: MessageStatus) -> int:
        return sum(counts.get(status, 0) for status in statuses)

    return (
        of(MessageStatus.QUEUED, MessageStatus.PROCESSING),
        of(*REACHED),
        of(MessageStatus.FAILED),
        of(MessageStatus.UNKNOWN),
        of(MessageStatus.CANCELLED),
        of(MessageStatus.SUPPRESSED),
    )
