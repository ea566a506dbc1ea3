"""When a campaign will end, by the devices as they stand in the database (R56)."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from people import add_devices, launch_to, phones, workspace
from placing import place_campaign, place_message, unguarded, use_devices
from sqlalchemy import Connection, text

from services import distribute, forecast
from services.forecast import Finish


@pytest.fixture
def campaign(db: Connection) -> int:
    """One that runs on two phones, a message a minute each; ten people wait on the first, twenty on the second."""
    first, second = add_devices(db, 2, gap_s=60.0)
    campaign_id = place_campaign(db)
    use_devices(db, campaign_id, first, second)
    wait(db, campaign_id, first, 10)
    wait(db, campaign_id, second, 20)
    return campaign_id


def wait(db: Connection, campaign_id: int | None, device_id: int, people: int) -> None:
    for _ in range(people):
        place_message(db, campaign_id, device_id=device_id)


def change(db: Connection, device: int, **values: object) -> None:
    """Change the n-th device."""
    sets = ", ".join(f"{name} = :{name}" for name in values)
    db.execute(
        text(f"UPDATE devices SET {sets} WHERE id = (SELECT id FROM devices ORDER BY id OFFSET :skip LIMIT 1)"),
        {"skip": device - 1, **values},
    )


def at_cap(db: Connection, device: int) -> datetime:
    """The n-th device has sent all it may today; returns when tomorrow begins."""
    tomorrow: datetime = db.execute(
        text("SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date::timestamp AT TIME ZONE 'UTC' + interval '1 day'")
    ).scalar_one()
    change(db, device, daily_cap=300, day=tomorrow.date() - timedelta(days=1), day_count=300, next_send_at=tomorrow)
    return tomorrow


def minutes_left(db: Connection, finish: Finish) -> int:
    assert finish.ends_at is not None
    left_s: float = (finish.ends_at - db.execute(text("SELECT clock_timestamp()")).scalar_one()).total_seconds()
    return round(left_s / 60)


def test_the_slowest_device_says_when_it_ends(db: Connection, campaign: int) -> None:
    finish = forecast.running(db, campaign)
    assert (finish.at_cap, finish.cannot_send, finish.held) == (0, 0, 0)
    assert minutes_left(db, finish) == 19


def test_other_campaigns_take_turns_and_single_sends_go_first(db: Connection, campaign: int) -> None:
    (second,) = db.execute(text("SELECT max(id) FROM devices")).one()
    other, paused = place_campaign(db), place_campaign(db, "paused")
    for each, people in ((other, 5), (paused, 7)):
        use_devices(db, each, second)
        wait(db, each, second, people)
    wait(db, None, second, 3)
    assert minutes_left(db, forecast.running(db, campaign)) == 19 + 5 + 3
    assert minutes_left(db, forecast.running(db, other)) == 4 + 5 + 3


def test_a_device_at_its_cap_goes_on_tomorrow(db: Connection, campaign: int) -> None:
    tomorrow = at_cap(db, 1)
    finish = forecast.running(db, campaign)
    assert finish.at_cap == 1
    assert finish.ends_at is not None
    assert timedelta(0) <= finish.ends_at - (tomorrow + timedelta(minutes=9)) <= timedelta(seconds=10)


@pytest.mark.parametrize("lost", ["can_send = false", "bridge", "out"])
def test_people_on_a_device_that_cannot_send_are_held(db: Connection, campaign: int, lost: str) -> None:
    if lost == "bridge":
        db.execute(text("INSERT INTO bridges (address, away_since) VALUES ('http://there', now())"))
        change(db, 2, bridge_address="http://there")
    elif lost == "out":
        db.execute(text("UPDATE campaign_devices SET out_at = now() WHERE device_id = (SELECT max(id) FROM devices)"))
    else:
        change(db, 2, can_send=False)
    finish = forecast.running(db, campaign)
    assert (finish.cannot_send, finish.held, minutes_left(db, finish)) == (1, 20, 9)


def test_nothing_can_be_foreseen_while_nothing_can_be_sent(db: Connection, campaign: int) -> None:
    db.execute(text("UPDATE workspaces SET sending_stopped_at = now()"))
    assert forecast.running(db, campaign).ends_at is None
    db.execute(text("UPDATE workspaces SET sending_stopped_at = NULL"))
    db.execute(text("UPDATE devices SET can_send = false"))
    assert forecast.running(db, campaign) == Finish(None, 0, 2, 30)


def test_a_large_campaign_on_a_large_fleet_is_foreseen_at_once(db: Connection) -> None:
    add_devices(db, 3_000, gap_s=5.0)
    db.execute(text("UPDATE devices SET daily_cap = 300"))
    with unguarded(db):
        campaign_id = launch_to(db, phones(20_000)).campaign_id
        distribute.distribute(db, campaign_id)
    started = time.process_time()
    assert forecast.running(db, campaign_id).ends_at is not None
    assert time.process_time() - started < 1.0


def test_before_a_launch_capacity_says_how_many_days(db: Connection) -> None:
    add_devices(db, 21, gap_s=10.0)
    db.execute(text("UPDATE devices SET daily_cap = 300"))
    add_devices(db, 3, can_send=False, name="lost")
    found = forecast.before_launch(db, workspace(db), 100_000, device_ids=None)
    assert (found.devices, found.able, found.at_cap) == (24, 21, 0)
    assert (found.a_day, found.a_day_each) == (6300, 300)
    assert found.days in (16, 17)  # the first one has begun, and what is left of it may be less than it takes
    change(db, 1, daily_cap=100)
    assert forecast.before_launch(db, workspace(db), 100_000, device_ids=None).a_day_each is None


def test_before_a_launch_its_own_pauses_count(db: Connection) -> None:
    (device_id,) = add_devices(db, 1, gap_s=1.0)
    found = forecast.before_launch(db, workspace(db), 7, device_ids=[device_id], min_delay_s=5.0, max_delay_s=15.0)
    assert found.ends_at is not None
    # The first goes out at once; jitter is 0.2 s on average.
    assert (found.ends_at - found.starts_at).total_seconds() == pytest.approx(6 * 10.2)
    assert found.a_day_each == int(86_400 / 10.2)
    assert found.days in (1, 2)


def test_before_a_launch_what_waits_already_has_its_turns(db: Connection, campaign: int) -> None:
    found = forecast.before_launch(db, workspace(db), 30, device_ids=None)
    assert found.ends_at is not None
    assert round((found.ends_at - found.starts_at).total_seconds() / 60) == 15 + 15 - 1
    # An hour later nobody else waits; a quarter of an hour later five do.
    for minutes, others in ((60, 0), (15, 5)):
        later = found.starts_at + timedelta(minutes=minutes)
        found_later = forecast.before_launch(db, workspace(db), 30, device_ids=None, starts_at=later)
        assert found_later.ends_at is not None
        assert round((found_later.ends_at - later).total_seconds() / 60) == 15 + others - 1


def test_a_cap_that_is_used_up_today_is_whole_at_a_start_tomorrow(db: Connection, campaign: int) -> None:
    at_cap(db, 1)
    at_cap(db, 2)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    now = forecast.before_launch(db, workspace(db), 10, device_ids=None)
    later = forecast.before_launch(db, workspace(db), 10, device_ids=None, starts_at=tomorrow)
    assert (now.at_cap, now.days, later.at_cap) == (2, 2, 0)


def test_before_a_launch_without_a_device_there_is_no_end(db: Connection) -> None:
    add_devices(db, 2, can_send=False)
    found = forecast.before_launch(db, workspace(db), 10, device_ids=None)
    assert (found.ends_at, found.days, found.devices, found.able) == (None, None, 2, 0)
    assert (found.a_day, found.a_day_each) == (0, None)
