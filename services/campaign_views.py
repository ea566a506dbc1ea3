"""Campaigns as their owners see them: how one stands, all of them, and the rows that are no recipients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from db.queries import query
from domain import failures
from domain.people import RejectedRow
from domain.status import CampaignStatus, MessageStatus
from services import campaign_end, forecast, rates
from services import rejected as rejected_rows
from services.forecast import Finish

PAGE = 100  # rows of a page
LAUNCHED = tuple(status for status in CampaignStatus if status is not CampaignStatus.DRAFT)
FAILURES = 100  # people that ``CampaignView.failures`` names at most


@dataclass(frozen=True, slots=True)
class Missed:
    """A person who did not get it, or perhaps not. ``retryable``: it is proven that nothing was sent."""

    phone: str
    code: str
    reason: str
    retryable: bool


@dataclass(frozen=True, slots=True)
class CampaignView:
    """A campaign as it stands now. ``counts`` has every message status; ``finish`` and ``rate_per_minute`` are None unless
    it is running, the rate also while nobody can tell.

    ``reason`` says in words why it is paused or failed, of the ``code``; ``min_delay_s`` and ``max_delay_s`` are its own
    range of pauses. ``template`` is one of Meta's as stored (services/template_filling.py), and ``message`` then its words.
    """

    id: int
    title: str
    message: str
    template: dict[str, Any] | None
    status: str
    code: str | None
    reason: str | None
    counts: dict[str, int]
    invalid_count: int
    failures: list[Missed]
    created_at: datetime
    scheduled_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    min_delay_s: float | None
    max_delay_s: float | None
    finish: Finish | None
    rate_per_minute: float | None

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def eta(self) -> datetime | None:
        """Roughly when it will be done; None unless it is running and something of it can be sent."""
        return self.finish.ends_at if self.finish else None


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in the order of their ids. ``next_after`` is the ``after`` of the next page, None on the last one."""

    rows: list[dict[str, Any]]
    next_after: int | None


_PAUSED = {
    "operator": "Paused by hand",
    "no_device": "Paused because no phone can send",
    "breaker": "Paused because too many sends failed",
}


def one(db: Connection, workspace_id: int, campaign_id: int) -> CampaignView | None:
    """A campaign, counted now; None when there is none with this id."""
    row = db.execute(
        text(
            "SELECT id, title, message, template, status, pause_reason, error_code, error_reason, created_at, scheduled_at,"
            " started_at, finished_at, min_delay_s, max_delay_s,"
            " (SELECT count(*) FROM rejected_rows r WHERE r.campaign_id = c.id) AS invalid_count"
            " FROM campaigns c WHERE id = :id AND workspace_id = :workspace_id"
        ),
        {"id": campaign_id, "workspace_id": workspace_id},
    ).one_or_none()
    if row is None:
        return None
    counted = campaign_end.count(db, campaign_id)
    return CampaignView(
        id=row.id,
        title=row.title,
        message=row.message,
        template=row.template,
        status=row.status,
        code=row.pause_reason or row.error_code,
        reason=_why(row),
        counts={str(status): counted.get(status, 0) for status in MessageStatus},
        invalid_count=row.invalid_count,
        failures=_missed(db, campaign_id),
        created_at=row.created_at,
        scheduled_at=row.scheduled_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        min_delay_s=row.min_delay_s,
        max_delay_s=row.max_delay_s,
        finish=forecast.running(db, campaign_id) if row.status == "running" else None,
        rate_per_minute=rates.now(db, campaign_id) if row.status == "running" else None,
    )


def page(
    db: Connection,
    workspace_id: int,
    *,
    before: int | None,
    statuses: Sequence[str] = LAUNCHED,
    title: str = "",
    limit: int = PAGE,
) -> Page:
    """Campaigns in these states with this in their title, the newest first, from below the id ``before``; with the counts
    of the last aggregation."""
    values = {"workspace_id": workspace_id, "before": before, "statuses": list(statuses), "title": title}
    rows = db.execute(query("campaigns_page"), {**values, "limit": limit + 1}).all()
    return _page([{**row._mapping, "reason": _why(row)} for row in rows], limit)


def how_many(db: Connection, workspace_id: int) -> dict[str, int]:
    """How many campaigns there are in each state that one is in."""
    rows = db.execute(
        text("SELECT status, count(*) AS n FROM campaigns WHERE workspace_id = :id GROUP BY status"),
        {"id": workspace_id},
    )
    return {row.status: row.n for row in rows}


def status_of(db: Connection, workspace_id: int, campaign_id: int) -> str | None:
    """A campaign's status; None when there is none with this id."""
    status: str | None = db.execute(
        text("SELECT status FROM campaigns WHERE id = :id AND workspace_id = :workspace_id"),
        {"id": campaign_id, "workspace_id": workspace_id},
    ).scalar_one_or_none()
    return status


def rejected(db: Connection, workspace_id: int, campaign_id: int) -> tuple[Sequence[str], list[RejectedRow]] | None:
    """The headers of what was uploaded and its rejected rows in their order; None when there is no such campaign."""
    campaign = db.execute(
        text("SELECT headers FROM campaigns WHERE id = :id AND workspace_id = :workspace_id"),
        {"id": campaign_id, "workspace_id": workspace_id},
    ).one_or_none()
    if campaign is None:
        return None
    return campaign.headers or (), rejected_rows.every(db, campaign_id)


def _why(row: Any) -> str | None:
    if row.pause_reason is not None:
        return _PAUSED[row.pause_reason]
    return failures.in_words(row.error_code, row.error_reason)


def _missed(db: Connection, campaign_id: int) -> list[Missed]:
    rows = db.execute(query("missed"), {"campaign_id": campaign_id, "limit": FAILURES})
    return [
        Missed(row.phone, row.error_code, failures.in_words(row.error_code, row.error_reason) or "", row.retryable)
        for row in rows
    ]


def _page(rows: list[dict[str, Any]], limit: int) -> Page:
    """One row more than a page was asked for: it only says that there is a next page."""
    kept = rows[:limit]
    return Page(kept, kept[-1]["id"] if len(rows) > limit else None)
