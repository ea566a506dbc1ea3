"""When the counts on a campaign's row are made anew: receipts come for days after its end."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from placing import place_campaign
from sqlalchemy import Connection, text

from services import aggregate

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def ended(db: Connection, ago: timedelta, *, counted: timedelta | None) -> int:
    """A campaign that ended so long ago, and was counted last so long ago."""
    now: datetime = db.execute(text("SELECT clock_timestamp()")).scalar_one()
    counted_at = None if counted is None else now - counted
    return place_campaign(db, "completed", finished_at=now - ago, counted_at=counted_at)


def is_due(db: Connection, campaign_id: int) -> bool:
    return campaign_id in aggregate.to_count(db)


@pytest.mark.parametrize("status", ["queued", "running", "paused"])
def test_what_is_open_is_counted_always(db: Connection, status: str) -> None:
    assert is_due(db, place_campaign(db, status))


@pytest.mark.parametrize("status", ["draft", "scheduled", "accepted"])
def test_what_has_not_begun_is_not_counted(db: Connection, status: str) -> None:
    assert not is_due(db, place_campaign(db, status))


def test_what_ended_since_its_last_count_is_counted_however_long_ago(db: Connection) -> None:
    assert is_due(db, ended(db, 90 * DAY, counted=None))
    assert is_due(db, ended(db, 90 * DAY, counted=91 * DAY))


@pytest.mark.parametrize(
    ("ago", "due_after"),
    [
        (timedelta(minutes=2), timedelta(seconds=10)),
        (HOUR, timedelta(seconds=72)),
        (DAY, timedelta(minutes=28.8)),
        (29 * DAY, timedelta(hours=13.92)),
    ],
)
def test_the_longer_ago_it_ended_the_more_seldom_it_is_counted(
    db: Connection, ago: timedelta, due_after: timedelta
) -> None:
    assert not is_due(db, ended(db, ago, counted=due_after - timedelta(seconds=2)))
    assert is_due(db, ended(db, ago, counted=due_after + timedelta(seconds=2)))


def test_after_thirty_days_it_is_counted_no_more(db: Connection) -> None:
    assert not is_due(db, ended(db, 31 * DAY, counted=30 * DAY))


def test_open_campaigns_come_first_and_then_the_latest(db: Connection) -> None:
    long_ago, lately = ended(db, 10 * DAY, counted=None), ended(db, HOUR, counted=None)
    is_open = place_campaign(db)
    assert aggregate.to_count(db) == [is_open, lately, long_ago]
