"""Counts by the minute, and what is told by them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from fleet import Fleet
from people import workspace
from placing import place_campaign, place_message, unguarded
from sqlalchemy import Connection, Engine, text
from waiting import until

from services import clean_up, rates


@pytest.fixture
def minute(db: Connection) -> datetime:
    """The minute that has begun."""
    begun: datetime = db.execute(text("SELECT date_trunc('minute', clock_timestamp())")).scalar_one()
    return begun


def sent(db: Connection, campaign_id: int | None, at: datetime, outcome: str = "sent") -> int:
    """A message that was begun then."""
    message_id = place_message(db, campaign_id, "sent", attempts=[outcome])
    db.execute(text("UPDATE attempts SET begun_at = :at WHERE message_id = :id"), {"at": at, "id": message_id})
    return message_id


def failed(db: Connection, campaign_id: int | None, at: datetime) -> None:
    place_message(db, campaign_id, "failed", failed_at=at)


def counted(db: Connection) -> dict[tuple[datetime, int], tuple[int, int]]:
    rows = db.execute(text("SELECT minute, campaign_id, sent, failed FROM minute_counts"))
    return {(row.minute, row.campaign_id): (row.sent, row.failed) for row in rows}


def place_count(db: Connection, campaign_id: int, at: datetime, sent: int, failed: int = 0) -> None:
    values: dict[str, Any] = {"at": at, "workspace": workspace(db), "id": campaign_id, "sent": sent, "failed": failed}
    db.execute(text("INSERT INTO minute_counts VALUES (:at, :workspace, :id, :sent, :failed)"), values)


def mark(db: Connection, at: datetime) -> None:
    """The last count was then."""
    db.execute(text("INSERT INTO marks VALUES ('minutes', :at)"), {"at": at})


def test_what_was_sent_and_failed_is_counted_by_minute_and_campaign(db: Connection, minute: datetime) -> None:
    campaign_id = place_campaign(db)
    before = minute - timedelta(minutes=1)
    for outcome in ("sent", "delivered", "read", "begun", "unknown", "not_sent"):
        sent(db, campaign_id, before, outcome)
    sent(db, None, before)
    sent(db, campaign_id, minute)
    failed(db, campaign_id, before)
    failed(db, None, minute)
    rates.count(db)
    assert counted(db) == {
        (before, campaign_id): (3, 1),
        (before, 0): (1, 0),
        (minute, campaign_id): (1, 0),
        (minute, 0): (0, 1),
    }


def test_a_later_count_adds_what_came_late_and_an_earlier_one_takes_nothing_away(
    db: Connection, minute: datetime
) -> None:
    campaign_id = place_campaign(db)
    late = sent(db, campaign_id, minute, "begun")
    sent(db, campaign_id, minute)
    rates.count(db)
    db.execute(text("UPDATE attempts SET outcome = 'sent' WHERE message_id = :id"), {"id": late})
    rates.count(db)
    assert counted(db) == {(minute, campaign_id): (2, 0)}
    with unguarded(db):
        db.execute(text("DELETE FROM attempts"))
    sent(db, campaign_id, minute)
    rates.count(db)
    assert counted(db) == {(minute, campaign_id): (2, 0)}


def test_two_counts_at_once_are_right(engine: Engine) -> None:
    with engine.begin() as db:
        now = db.execute(text("SELECT clock_timestamp()")).scalar_one()
        campaigns = [place_campaign(db) for _ in range(4)]
        for campaign_id in campaigns:
            sent(db, campaign_id, now)

    def count() -> None:
        with engine.begin() as db:
            rates.count(db)

    first, second = engine.connect(), engine.connect()
    with first, second, ThreadPoolExecutor(1) as pool:
        rates.count(first)
        sent(second, campaigns[0], now)
        second.commit()
        waiting = pool.submit(count)  # has seen more than the first, and comes to write while the first still holds it
        # Postgres keeps what it has told of its sessions until the end of a transaction
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as third:
            until(
                lambda: third.execute(
                    text(
                        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                        " AND datname = current_database()"
                    )
                ).scalar_one(),
                "the second count waits",
            )
        first.commit()
        waiting.result(10)
    with engine.begin() as db:
        assert sorted(counted(db).values()) == [(1, 0), (1, 0), (1, 0), (2, 0)]


def test_the_dispatcher_has_them_counted(engine: Engine, make_fleet: Callable[..., Fleet]) -> None:
    with engine.begin() as db:
        campaign_id = place_campaign(db, "completed")
        sent(db, campaign_id, db.execute(text("SELECT clock_timestamp()")).scalar_one())
    fleet = make_fleet().start("worker", "dispatcher")
    found = until(lambda: fleet.rows("SELECT campaign_id, sent, failed FROM minute_counts"), "the minute is counted")
    assert found == [(campaign_id, 1, 0)]


@pytest.mark.parametrize(("hours", "bucket"), [(1, 1), (6, 5), (24, 15)])
def test_a_series_has_every_bucket_and_averages_per_minute(
    db: Connection, minute: datetime, hours: int, bucket: int
) -> None:
    campaign_id = place_campaign(db)
    mark(db, minute + timedelta(seconds=7))
    # Of the last whole bucket
    start = minute - timedelta(minutes=minute.minute % bucket + bucket)
    for number in range(bucket):
        place_count(db, campaign_id, start + number * timedelta(minutes=1), 30, 3)
    place_count(db, 0, start, 15 * bucket)
    place_count(db, 0, minute, 1000)  # not over yet
    found = rates.per_minute(db, workspace(db), hours=hours)
    assert {later.at - earlier.at for earlier, later in pairwise(found)} == {timedelta(minutes=bucket)}
    assert found[-1].at < minute
    assert found[0].at <= minute - timedelta(hours=hours) < found[1].at
    assert [each for each in found if each.sent or each.failed] == [rates.Bucket(start, 45.0, 3.0)]
    own = rates.per_minute(db, workspace(db), hours=hours, campaign_id=campaign_id)
    assert [each for each in own if each.sent or each.failed] == [rates.Bucket(start, 30.0, 3.0)]


def test_nothing_is_said_of_what_nobody_counted(db: Connection, minute: datetime) -> None:
    assert rates.per_minute(db, workspace(db), hours=1) == []
    mark(db, minute - timedelta(minutes=10))
    assert rates.per_minute(db, workspace(db), hours=1)[-1].at == minute - timedelta(minutes=11)


@pytest.mark.parametrize(("ran_s", "expected"), [(3600, 200.0), (150, 240.0), (70, 150 * 60 / 70 + 250 * 60 / 70)])
def test_a_campaigns_rate_is_that_of_the_last_whole_minutes(
    db: Connection, minute: datetime, ran_s: int, expected: float
) -> None:
    """``ran_s``: seconds that it had run when this minute began."""
    campaign_id = place_campaign(db, started_at=minute - timedelta(seconds=ran_s))
    mark(db, minute)
    for ago, n in ((0, 9_999), (1, 150), (2, 250), (3, 200), (4, 9_999)):
        if 60 * (ago - 1) < ran_s:
            place_count(db, campaign_id, minute - timedelta(minutes=ago), n)
    assert rates.now(db, campaign_id) == pytest.approx(expected)


@pytest.mark.parametrize(("ran_s", "counted_ago_s", "expected"), [(30, 0, 40.0), (5, 0, None), (3600, 61, None)])
def test_the_rate_of_the_first_minute_is_that_of_its_seconds_and_an_old_one_is_none(
    db: Connection, ran_s: int, counted_ago_s: int, expected: float | None
) -> None:
    counted_at = db.execute(text("SELECT clock_timestamp()")).scalar_one() - timedelta(seconds=counted_ago_s)
    started_at = counted_at - timedelta(seconds=ran_s)
    campaign_id = place_campaign(db, started_at=started_at)
    assert rates.now(db, campaign_id) is None
    mark(db, counted_at)
    place_count(db, campaign_id, started_at.replace(second=0, microsecond=0), 20)
    assert rates.now(db, campaign_id) == (None if expected is None else pytest.approx(expected))


def test_counts_are_kept_for_eight_days(db: Connection, minute: datetime) -> None:
    for days in (9, 7):
        place_count(db, 0, minute - timedelta(days=days), 1)
    clean_up.clean_up(db)
    assert [at for at, _ in counted(db)] == [minute - timedelta(days=7)]
