"""Caps: the one that is reached moves next_send_at to the end of its hour, or of its day where the workspace is (R11)."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from people import add_devices
from placing import begin_next, place_campaign, place_message, use_devices
from sqlalchemy import Connection, text

from bridge.protocol import NotSent
from services import deliver, trouble
from services.deliver import Begun


@pytest.fixture
def device(db: Connection) -> int:
    """A phone with work and without any gap."""
    (device_id,) = add_devices(db, 1)
    campaign_id = place_campaign(db)
    use_devices(db, campaign_id, device_id)
    for _ in range(5):
        place_message(db, campaign_id, device_id=device_id)
    return device_id


def cap(db: Connection, *, hourly: int | None = None, daily: int | None = None) -> None:
    db.execute(text("UPDATE devices SET hourly_cap = :hourly, daily_cap = :daily"), {"hourly": hourly, "daily": daily})


def time_zone(db: Connection, name: str) -> None:
    db.execute(text("UPDATE workspaces SET time_zone = :name"), {"name": name})


def next_one(db: Connection, device_id: int) -> Begun:
    """Begin a message whose forerunner is done."""
    db.execute(text("UPDATE messages SET slot = NULL, status = 'sent' WHERE status = 'processing'"))
    begun = begin_next(db, device_id)
    assert begun is not None
    return begun


def test_below_its_caps_only_the_gap_counts(db: Connection, device: int) -> None:
    cap(db, hourly=3, daily=3)
    for _ in range(2):
        begun = next_one(db, device)
        assert begun.next_send_at == begun.begun_at


def test_the_hourly_cap_moves_to_the_next_hour(db: Connection, device: int) -> None:
    cap(db, hourly=2)
    next_one(db, device)
    begun = next_one(db, device)
    assert begun.next_send_at == begun.begun_at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    db.execute(text("UPDATE messages SET slot = NULL, status = 'sent' WHERE status = 'processing'"))
    assert begin_next(db, device) is None


def test_a_new_hour_and_a_new_day_count_from_nothing(db: Connection, device: int) -> None:
    cap(db, hourly=2, daily=2)
    db.execute(
        text(
            "UPDATE devices SET hour_count = 2, hour = date_trunc('hour', clock_timestamp()) - interval '1 hour',"
            " day_count = 2, day = (clock_timestamp() AT TIME ZONE 'UTC')::date - 1"
        )
    )
    begun = next_one(db, device)
    assert begun.next_send_at == begun.begun_at
    assert tuple(db.execute(text("SELECT hour_count, day_count FROM devices")).one()) == (1, 1)


@pytest.mark.parametrize("hours", [-11, -3, 0, 5, 13])
def test_the_daily_cap_moves_to_midnight_where_the_workspace_is(db: Connection, device: int, hours: int) -> None:
    # In a POSIX zone, which has no table that could change, the sign is the other way round.
    time_zone(db, f"<here>{-hours}")
    cap(db, daily=1)
    begun = next_one(db, device)
    there = (begun.begun_at + timedelta(hours=hours)).date()
    midnight = datetime(there.year, there.month, there.day, tzinfo=UTC) + timedelta(days=1, hours=-hours)
    assert begun.next_send_at == midnight


@pytest.mark.parametrize("spring", [True, False])
def test_a_day_on_which_the_clocks_change_is_an_hour_shorter_or_longer(
    db: Connection, device: int, spring: bool
) -> None:
    """The clocks change at 12:00 there, and it is 10 o'clock and some minutes now."""
    now = db.execute(text("SELECT clock_timestamp()")).scalar_one()
    hours = 10 - now.hour  # of now's offset from UTC; at most 13 either way
    there = now + timedelta(hours=hours)
    today = there.timetuple().tm_yday - 1  # a zone's rules count the days of the year from 0
    if spring:
        winter, summer, rule = hours, hours + 1, f"{today}/12,{(today + 1) % 365}/23"
    else:
        winter, summer, rule = hours - 1, hours, f"{(today - 1) % 365}/1,{today}/12"
    time_zone(db, f"<win>{-winter}<sum>{-summer},{rule}")
    cap(db, daily=1)
    begun = next_one(db, device)
    local_midnight = there.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    offset = summer if spring else winter
    assert begun.next_send_at == local_midnight - timedelta(hours=offset)


def test_the_later_of_two_caps_holds(db: Connection, device: int) -> None:
    cap(db, hourly=1, daily=1)
    begun = next_one(db, device)
    midnight = begun.begun_at.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    assert begun.next_send_at == midnight


@pytest.mark.parametrize("code", ["not_connected", "throttled", "bridge_unreachable"])
def test_what_was_not_sent_uses_up_no_cap(db: Connection, device: int, code: str) -> None:
    cap(db, hourly=1, daily=1)
    begun = next_one(db, device)
    result = NotSent(code, "no", "answer", retryable=True, retry_after_s=7)
    deliver.record(db, begun, result, max_attempts=3, rng=random.Random(1))
    row = db.execute(text("SELECT hour_count, day_count, next_send_at FROM devices")).one()
    assert (row.hour_count, row.day_count) == (0, 0)
    assert row.next_send_at < begun.begun_at + timedelta(minutes=1)


def test_a_person_who_is_not_on_whatsapp_was_asked_about_and_counts(db: Connection, device: int) -> None:
    cap(db, daily=1)
    begun = next_one(db, device)
    deliver.record(
        db, begun, NotSent("not_on_whatsapp", "no", "answer", retryable=False), max_attempts=3, rng=random.Random(1)
    )
    row = db.execute(text("SELECT day_count, next_send_at FROM devices")).one()
    assert tuple(row) == (1, begun.next_send_at)


def test_a_refund_leaves_a_pace_that_no_cap_had_moved(db: Connection, device: int) -> None:
    cap(db, hourly=9, daily=9)
    db.execute(text("UPDATE devices SET min_gap_s = 60, max_gap_s = 60"))
    begun = next_one(db, device)
    trouble.refund(db, device)
    assert db.execute(text("SELECT next_send_at FROM devices")).scalar_one() == begun.next_send_at
