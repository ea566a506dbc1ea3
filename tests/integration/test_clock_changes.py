"""A change of the clocks in the middle of sending: no cap is given twice, and what it held back goes on in time.

The workspace's zone is written as POSIX does, so that its clocks change a moment from now.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, time, timedelta
from typing import Any

from people import add_devices, launch_to, phones
from placing import begin_next
from sqlalchemy import Engine, text
from waiting import until

from bridge.protocol import Sent
from services import deliver, device_views, distribute

CAP = 2
HOUR = timedelta(hours=1)
MIDNIGHT = timedelta(0)
SOON = timedelta(seconds=1.5)


def zone(change: datetime, clock: timedelta, *, forward: bool) -> str:
    """A zone whose clocks show ``clock`` (since midnight) when they are moved an hour, at ``change`` (UTC)."""
    utc = change.replace(tzinfo=None)
    shown = min(
        (datetime.combine(utc.date(), time()) + timedelta(days=days) + clock for days in (-1, 0, 1)),
        key=lambda local: abs(local - utc),
    )
    before = shown - utc
    standard, summer = (before, before + HOUR) if forward else (before - HOUR, before)
    day = shown.timetuple().tm_yday - 1
    moved, back = f"{day}/{shown:%H:%M:%S}", f"{(day + 200) % 365}/12"
    first, then = (moved, back) if forward else (back, moved)
    return f"AAA{_west(standard)}BBB{_west(summer)},{first},{then}"


def _west(east: timedelta) -> str:
    seconds = int(east.total_seconds())
    hours, rest = divmod(abs(seconds), 3600)
    return f"{'-' if seconds > 0 else '+'}{hours}:{rest // 60:02}:{rest % 60:02}"


def clocks_change_soon(engine: Engine, clock: timedelta, *, forward: bool) -> tuple[int, datetime]:
    """A device with a campaign and a cap for the day, and when its clocks change: in whole seconds, by Postgres' clock."""
    with engine.begin() as db:
        (device,) = add_devices(db, 1)
        distribute.distribute(db, launch_to(db, phones(3 * CAP)).campaign_id)
        change = (now(engine) + SOON).replace(microsecond=0) + timedelta(seconds=1)
        db.execute(text("UPDATE workspaces SET time_zone = :zone"), {"zone": zone(change, clock, forward=forward)})
        db.execute(text("UPDATE devices SET daily_cap = :cap"), {"cap": CAP})
    return device, change


def now(engine: Engine) -> datetime:
    with engine.begin() as db:
        at: datetime = db.execute(text("SELECT clock_timestamp()")).scalar_one()
    return at.astimezone(UTC)


def send(engine: Engine, device: int, most: int = 99) -> int:
    """Send what may be sent now, at most so many; how many those were."""
    for count in range(most):
        with engine.begin() as db:
            begun = begin_next(db, device)
        if begun is None:
            return count
        with engine.begin() as db:
            deliver.record(db, begun, Sent("an id", 0.0), max_attempts=3, rng=random.Random(1))
    return most


def the_device(engine: Engine) -> Any:
    with engine.begin() as db:
        return db.execute(text("SELECT next_send_at, workspace_id FROM devices")).one()


def changed(engine: Engine, change: datetime) -> None:
    until(lambda: now(engine) > change, "the clocks have changed")


def test_a_day_that_comes_twice_has_one_cap(engine: Engine) -> None:
    """Five past midnight becomes five past eleven of the day before, on which nothing was sent yet."""
    device, change = clocks_change_soon(engine, timedelta(minutes=5, seconds=7), forward=False)
    assert send(engine, device, most=1) == 1
    changed(engine, change)
    assert send(engine, device) == CAP - 1
    at = the_device(engine)
    assert at.next_send_at == change + timedelta(hours=24, minutes=54, seconds=53)  # the midnight after the next
    with engine.begin() as db:
        (shown,) = device_views.every(db, at.workspace_id)
    assert shown.sent_today == CAP


def test_an_hour_that_comes_twice_lengthens_its_day(engine: Engine) -> None:
    """Midnight becomes eleven, as in Cairo: who is at his cap waits for the other midnight."""
    device, change = clocks_change_soon(engine, MIDNIGHT, forward=False)
    assert send(engine, device) == CAP
    assert the_device(engine).next_send_at == change + HOUR
    changed(engine, change)
    assert send(engine, device) == 0


def test_a_midnight_that_does_not_exist_begins_a_day(engine: Engine) -> None:
    """Midnight becomes one, as in Beirut."""
    device, change = clocks_change_soon(engine, MIDNIGHT, forward=True)
    assert send(engine, device) == CAP
    assert the_device(engine).next_send_at == change
    changed(engine, change)
    assert send(engine, device) == CAP
    assert the_device(engine).next_send_at == change + 23 * HOUR
