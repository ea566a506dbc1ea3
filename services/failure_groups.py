"""Who did not get a campaign, grouped by reason, and what can be done about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, text

from db.queries import query
from domain import failures
from domain.failures import NOT_WORTH_RETRYING
from services.campaign_views import status_of

Verdict = Literal["safe", "hopeless", "doubt"]


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """The people with one code. ``safe``: proven not sent, and worth another try; ``hopeless``: proven not sent, and another
    try would fail as well; ``doubt``: it may have gone out.

    ``retryable`` of them would be queued by a retry of this code (never those on the never-send list); about ``undecided``
    of those in doubt nobody has decided yet. ``awaited`` of them are for WhatsApp to tell of, and nobody is asked so far.
    """

    code: str
    reason: str
    advice: str
    verdict: Verdict
    count: int
    retryable: int
    undecided: int
    awaited: int


@dataclass(frozen=True, slots=True)
class FailureReport:
    """The groups, the biggest first. ``as_of`` is what a decision about all those in doubt is given (services/doubts.py)."""

    groups: list[FailureGroup]
    as_of: datetime

    @property
    def safe_count(self) -> int:
        """How many a retry without codes would queue."""
        return sum(group.retryable for group in self.groups if group.verdict == "safe")

    @property
    def undecided_count(self) -> int:
        return sum(group.undecided for group in self.groups)


def report(db: Connection, workspace_id: int, campaign_id: int) -> FailureReport | None:
    """Count now; None when there is no such campaign."""
    if status_of(db, workspace_id, campaign_id) is None:
        return None
    as_of = db.execute(text("SELECT clock_timestamp()")).scalar_one()
    rows = db.execute(query("failure_groups"), {"campaign_id": campaign_id})
    groups = [
        _group(
            row.code, row.people, row.retryable, row.undecided, row.awaited, verdict=_verdict(row.code, doubt=row.doubt)
        )
        for row in rows
    ]
    gone = _of_deleted_devices(db, campaign_id)
    if gone:
        groups.append(_group("device_deleted", gone, 0, 0, 0, verdict="hopeless"))
    return FailureReport(sorted(groups, key=lambda group: (-group.count, group.code)), as_of)


def _verdict(code: str, *, doubt: bool) -> Verdict:
    if doubt:
        return "doubt"
    return "hopeless" if code in NOT_WORTH_RETRYING else "safe"


def _group(code: str, count: int, retryable: int, undecided: int, awaited: int, *, verdict: Verdict) -> FailureGroup:
    reason, advice = failures.lookup(code).reason, failures.advice(code, proven=verdict != "doubt")
    return FailureGroup(code, reason, advice, verdict, count, retryable, undecided, awaited)


def _of_deleted_devices(db: Connection, campaign_id: int) -> int:
    """They still count as failed; their codes went with their messages."""
    return int(
        db.execute(
            text(
                "SELECT coalesce(sum(value::bigint), 0) FROM departed_totals, jsonb_each_text(counts)"
                " WHERE campaign_id = :id AND key IN ('failed', 'unknown')"
            ),
            {"id": campaign_id},
        ).scalar_one()
    )
