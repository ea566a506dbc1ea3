"""The people of a campaign: pages of them in both directions, and all of them as a CSV, of whatever somebody filters by."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from db.queries import query
from domain.csv_rows import defused
from domain.status import MessageStatus
from services.campaign_views import status_of
from services.message_views import since, with_reason

PAGE = 100
CSV_CHUNK = 5_000  # rows that an export holds at a time
CSV_HEADER = ("phone", "name", "status", "since", "device", "reason", "attempts", "sent", "delivered", "read")


@dataclass(frozen=True, slots=True)
class Filter:
    """Who is shown: those in one of these states, with this code, of this device. Each is left out when None."""

    statuses: tuple[MessageStatus, ...] = tuple(MessageStatus)
    code: str | None = None
    device_id: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Messages in the order of their ids. ``next_after`` and ``next_before`` are the ``after`` of the next page and the
    ``before`` of the one before this, None where there is none."""

    rows: list[dict[str, Any]]
    next_after: int | None
    next_before: int | None


def page(
    db: Connection,
    workspace_id: int,
    campaign_id: int,
    wanted: Filter,
    *,
    after: int | None = None,
    before: int | None = None,
) -> Page | None:
    """The 100 above the id ``after``, or those next below ``before``; the first ones without either. None when there is no
    such campaign."""
    if status_of(db, workspace_id, campaign_id) is None:
        return None
    rows = _rows(db, campaign_id, wanted, after=after, before=before, limit=PAGE + 1)
    more = len(rows) > PAGE  # the one row too many only says that there is another page
    if before is not None:
        rows = rows[-PAGE:]
        # Whoever pages back came from a page that lies behind this one.
        return Page(rows, before - 1, rows[0]["id"] if rows and more else None)
    rows = rows[:PAGE]
    return Page(rows, rows[-1]["id"] if more else None, after + 1 if after else None)


def as_csv(db: Connection, workspace_id: int, campaign_id: int, wanted: Filter, *, time_zone: str) -> Iterator[str]:
    """The header and every row, each a line of a CSV whose cells no spreadsheet runs as formulas. ``since`` is when the
    status was reached; times are of ``time_zone``. Nothing at all when there is no such campaign."""
    if status_of(db, workspace_id, campaign_id) is None:
        return
    yield _line(CSV_HEADER)
    zone = ZoneInfo(time_zone)
    after = 0
    while rows := _rows(db, campaign_id, wanted, after=after, before=None, limit=CSV_CHUNK):
        for row in rows:
            yield _line(_cells(row, zone))
        after = rows[-1]["id"]


def _rows(
    db: Connection, campaign_id: int, wanted: Filter, *, after: int | None, before: int | None, limit: int
) -> list[dict[str, Any]]:
    values = {
        "campaign_id": campaign_id,
        "statuses": [str(status) for status in wanted.statuses],
        "code": wanted.code,
        "device_id": wanted.device_id,
        "after": None if before is not None else after or 0,
        "before": before,
        "limit": limit,
    }
    return [with_reason(row) for row in db.execute(query("messages_page"), values).mappings()]


def _cells(row: dict[str, Any], zone: ZoneInfo) -> tuple[str, ...]:
    times = (since(row), row["sent_at"], row["delivered_at"], row["read_at"])
    reached, sent, delivered, read = ("" if at is None else f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}" for at in times)
    return (
        *(row["phone"], row["name"] or "", row["status"], reached, row["device_name"] or "", row["reason"] or ""),
        *(str(row["attempts"]), sent, delivered, read),
    )


def _line(cells: tuple[str, ...]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(map(defused, cells))
    return out.getvalue()
