from __future__ import annotations

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from domain.forecast import Device, days, end, last_send_at, shares

MIDNIGHT = datetime(2026, 11, 21, tzinfo=UTC)


def test_a_hundred_thousand_people_on_twenty_one_phones_of_300_a_day() -> None:
    phone = Device(shares(100_000, [1.0] * 21)[0], gap_s=10, next_send_at=MIDNIGHT, daily_cap=300)
    assert phone.a_day == 300
    ends = end([phone] * 21, MIDNIGHT, UTC)
    assert ends is not None
    assert days(MIDNIGHT, ends, UTC) == 16


@pytest.mark.parametrize(("month", "day", "hours"), [(3, 8, 23), (11, 1, 25), (7, 4, 24)])
def test_a_day_may_have_23_or_25_hours(month: int, day: int, hours: int) -> None:
    zone = ZoneInfo("America/New_York")
    midnight = datetime(2026, month, day, tzinfo=zone)
    last = last_send_at(Device(11, gap_s=1, next_send_at=midnight, daily_cap=10), midnight, zone)
    assert (last - midnight.astimezone(UTC)).total_seconds() == hours * 3600


@pytest.mark.parametrize(
    ("device", "a_day"),
    [
        (Device(1, 60, MIDNIGHT), 1440),
        (Device(1, 60, MIDNIGHT, hourly_cap=5), 120),
        (Device(1, 60, MIDNIGHT, hourly_cap=5, daily_cap=30), 30),
        (Device(1, 0.001, MIDNIGHT), 86_400_000),
    ],
)
def test_the_most_that_is_sent_on_a_day(device: Device, a_day: int) -> None:
    assert device.a_day == a_day


@pytest.mark.parametrize(
    ("device", "at_cap"),
    [
        (Device(1, 1, MIDNIGHT, hour_used=9, day_used=9), False),
        (Device(1, 1, MIDNIGHT, hourly_cap=9, hour_used=9), True),
        (Device(1, 1, MIDNIGHT, daily_cap=9, day_used=9), True),
        (Device(1, 1, MIDNIGHT, daily_cap=10, hourly_cap=10, day_used=9, hour_used=9), False),
    ],
)
def test_a_device_is_at_its_cap_when_it_has_used_it(device: Device, at_cap: bool) -> None:
    assert device.at_cap is at_cap


def test_nothing_to_send_has_no_end() -> None:
    assert end([Device(0, 1, MIDNIGHT)], MIDNIGHT, UTC) is None


@pytest.mark.parametrize(
    "device",
    [
        Device(10**9, 10, MIDNIGHT),
        Device(10**9, 10, MIDNIGHT, daily_cap=1),
        Device(10**9, 10, MIDNIGHT, hourly_cap=1, daily_cap=24),
        Device(5, 10.0**9, MIDNIGHT, daily_cap=1),
    ],
)
def test_what_would_take_for_ever_is_said_to_take_ten_years(device: Device) -> None:
    assert last_send_at(device, MIDNIGHT, UTC).year == 2036


def test_a_large_fleet_is_foreseen_at_once() -> None:
    zone = ZoneInfo("Asia/Jerusalem")
    fleet = [Device(10_000, 7 + n % 9, MIDNIGHT, hourly_cap=60, daily_cap=300, day_used=n % 300) for n in range(3_000)]
    started = time.process_time()
    assert end(fleet, MIDNIGHT, zone) is not None
    assert time.process_time() - started < 1.0
