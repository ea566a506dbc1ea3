from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from domain.forecast import Device, end, last_send_at, sent_by, shares

NOW = datetime(2026, 11, 21, 9, 17, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)

# With whole and half hours from UTC, and with days of 23 and 25 hours
zones = st.sampled_from([ZoneInfo(name) for name in ("UTC", "Asia/Jerusalem", "Asia/Kolkata", "America/New_York")])
nows = st.integers(0, 2 * 365 * 86_400).map(lambda seconds: NOW + timedelta(seconds=seconds))
gaps = st.floats(0.5, 30) | st.floats(30, 20_000) | st.sampled_from([60.0, 3600.0, 86_400.0])
caps = st.none() | st.integers(1, 40)


@st.composite
def devices(draw: st.DrawFn, now: datetime = NOW) -> Device:
    return Device(
        messages=draw(st.integers(1, 120)),
        gap_s=draw(gaps),
        next_send_at=now + timedelta(seconds=draw(st.integers(-5, 200_000))),
        hourly_cap=draw(caps),
        daily_cap=draw(caps),
        hour_used=draw(st.integers(0, 5)),
        day_used=draw(st.integers(0, 40)),
    )


def simulated(device: Device, now: datetime, zone: tzinfo) -> datetime:
    """Message after message, as begin.sql sends them."""
    at = max(now, device.next_send_at)
    hour, hour_used = now.replace(minute=0, second=0, microsecond=0), device.hour_used
    day, day_used = now.astimezone(zone).date(), device.day_used
    last = at
    left = device.messages
    while left:
        this_hour, this_day = at.replace(minute=0, second=0, microsecond=0), at.astimezone(zone).date()
        hour_used, hour = (hour_used if this_hour == hour else 0), this_hour
        day_used, day = (day_used if this_day == day else 0), this_day
        tomorrow = this_day + timedelta(days=1)
        midnight = datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=zone).astimezone(UTC)
        hour_open = device.hourly_cap is None or hour_used < device.hourly_cap
        day_open = device.daily_cap is None or day_used < device.daily_cap
        if hour_open and day_open:
            last, left = at, left - 1
            hour_used, day_used = hour_used + 1, day_used + 1
            at += timedelta(microseconds=round(device.gap_s * 1_000_000))
        if device.hourly_cap is not None and hour_used >= device.hourly_cap:
            at = max(at, this_hour + HOUR)
        if device.daily_cap is not None and day_used >= device.daily_cap:
            at = max(at, midnight)
    return last


@given(st.data(), nows, zones)
def test_it_ends_when_message_after_message_would(data: st.DataObject, now: datetime, zone: tzinfo) -> None:
    device = data.draw(devices(now))
    assert last_send_at(device, now, zone) == simulated(device, now, zone)


@given(st.lists(devices(), min_size=1, max_size=5), st.integers(1, 40), zones)
def test_caps_never_end_it_earlier(fleet: list[Device], cap: int, zone: tzinfo) -> None:
    free, *others = fleet
    for uncapped, capped in (
        (replace(free, hourly_cap=None), replace(free, hourly_cap=cap)),
        (replace(free, daily_cap=None), replace(free, daily_cap=cap)),
    ):
        before, after = end([uncapped, *others], NOW, zone), end([capped, *others], NOW, zone)
        assert before is not None
        assert after is not None
        assert before <= after


@given(st.lists(devices(), min_size=1, max_size=5), st.integers(1, 500), st.data(), zones)
def test_another_device_like_one_of_them_never_ends_it_later(
    fleet: list[Device], people: int, data: st.DataObject, zone: tzinfo
) -> None:
    def ends(of: list[Device]) -> datetime:
        given = shares(people, [1 / device.gap_s for device in of])
        ended = end([replace(one, messages=share) for one, share in zip(of, given, strict=True)], NOW, zone)
        assert ended is not None
        return ended

    assert ends([*fleet, data.draw(st.sampled_from(fleet))]) <= ends(fleet)


@given(devices(), st.integers(0, 400), zones)
def test_what_is_sent_by_a_moment_was_sent_no_later(device: Device, hours: int, zone: tzinfo) -> None:
    moment = NOW + hours * HOUR
    sent = sent_by(device, moment, NOW, zone)
    assert 0 <= sent <= device.messages
    if sent:
        assert last_send_at(replace(device, messages=sent), NOW, zone) <= moment
    if sent < device.messages:
        assert last_send_at(replace(device, messages=sent + 1), NOW, zone) > moment
