"""Campaigns whose time has come, and the health that decides what becomes of them (R16, R22, R25)."""

from __future__ import annotations

import random
from typing import Any

import pytest
from people import add_devices
from placing import begin_next, place_campaign, place_message, use_devices
from sqlalchemy import Connection, Engine, text

from bridge.protocol import Roster, Sent, SessionStatus
from services import deliver, health, schedule, trouble


def scheduled(db: Connection, *device_ids: int, minutes: int = -1) -> int:
    """A campaign whose time is in ``minutes``, with one recipient."""
    campaign_id = place_campaign(db, "scheduled")
    db.execute(
        text("UPDATE campaigns SET scheduled_at = clock_timestamp() + make_interval(mins => :m) WHERE id = :id"),
        {"m": minutes, "id": campaign_id},
    )
    use_devices(db, campaign_id, *device_ids)
    place_message(db, campaign_id)
    return campaign_id


def session(name: str, *, can_send: bool = True, **more: Any) -> SessionStatus:
    values: dict[str, Any] = {
        "session": name,
        "state": "open" if can_send else "close",
        "connected": can_send,
        "can_send": can_send,
        "qr_required": False,
        "session_age_s": 60 if can_send else None,
        "phone": "972501234567",
        "last_error": None if can_send else "gone",
        "restricted_until": None,
        **more,
    }
    return SessionStatus(**values)


def device(db: Connection, device_id: int) -> Any:
    columns = "state, connected, can_send, qr_required, error_code, error_reason, phone, strikes"
    return db.execute(text(f"SELECT {columns} FROM devices WHERE id = :id"), {"id": device_id}).one()


def look(db: Connection, *sessions: SessionStatus) -> health.Look:
    """A health check, whenever the last one was."""
    db.execute(text("UPDATE devices SET next_check_at = clock_timestamp()"))
    return health.record(db, "default", Roster(None, list(sessions)), interval_s=30)


def test_what_is_due_fires_once_and_the_rest_waits(db: Connection) -> None:
    (able,) = add_devices(db, 1)
    due, later = scheduled(db, able), scheduled(db, able, minutes=5)
    assert schedule.fire_due(db) == {due: "accepted"}
    assert schedule.fire_due(db) == {}
    assert [campaign_id for campaign_id, _ in schedule.accepted(db)] == [due]
    assert later not in dict(schedule.accepted(db))


def test_two_dispatchers_at_once_fire_it_once(engine: Engine) -> None:
    with engine.begin() as db:
        campaign_id = scheduled(db, *add_devices(db, 1))
    with engine.begin() as first, engine.begin() as second:
        assert schedule.fire_due(first) == {campaign_id: "accepted"}
        assert schedule.fire_due(second) == {}


@pytest.mark.parametrize("devices", [0, 2])
def test_when_it_is_known_that_no_phone_can_send_it_fails_at_once(db: Connection, devices: int) -> None:
    campaign_id = scheduled(db, *(add_devices(db, devices, can_send=False) if devices else []))
    db.execute(text("UPDATE devices SET strikes = 3"))
    assert schedule.fire_due(db) == {campaign_id: "failed"}
    campaign = db.execute(text("SELECT status, error_code, finished_at FROM campaigns")).one()
    assert (campaign.status, campaign.error_code) == ("failed", "no_device")
    assert campaign.finished_at is not None
    assert tuple(db.execute(text("SELECT status, error_code FROM messages")).one()) == ("failed", "no_device")


def test_a_phone_that_has_only_just_gone_is_given_the_time_to_be_sure(db: Connection) -> None:
    (device_id,) = add_devices(db, 1)
    campaign_id = scheduled(db, device_id)
    trouble.strike(db, device_id, "not_connected", "a blink")
    assert schedule.fire_due(db) == {campaign_id: "scheduled"}
    look(db, session("device1"))
    assert schedule.fire_due(db) == {campaign_id: "accepted"}


def test_sessions_that_are_starting_have_a_minute_before_they_are_struck_out(db: Connection) -> None:
    (device_id,) = add_devices(db, 1)
    health.record(db, "default", Roster(None, [session("device1", can_send=False, state="starting")]), interval_s=30)
    wait = text("SELECT strikes, extract(epoch FROM next_check_at - clock_timestamp()) FROM devices WHERE id = :id")
    strikes, wait_s = db.execute(wait, {"id": device_id}).one()
    assert (strikes, 15 < wait_s <= 20) == (1, True)
    # What it goes through on its way up counts no strike; what it does not come back from by itself is looked at soon.
    health.record(db, "default", Roster(None, [session("device1", can_send=False, state="logged_out")]), interval_s=30)
    strikes, wait_s = db.execute(wait, {"id": device_id}).one()
    assert (strikes, wait_s <= 4) == (1, True)


def test_a_session_that_its_bridge_does_not_know_is_started_at_each_look(db: Connection) -> None:
    add_devices(db, 1)
    for _ in range(5):
        assert health.record(db, "default", Roster(None, []), interval_s=30).to_start == ["device1"]


def test_a_bridge_that_does_not_answer_means_wait(db: Connection) -> None:
    campaign_id = scheduled(db, *add_devices(db, 1, can_send=False))
    trouble.bridge_away(db, "default", "bridge_unreachable", "refused")
    assert schedule.fire_due(db) == {campaign_id: "accepted"}


def test_a_look_writes_down_what_the_bridge_says(db: Connection) -> None:
    first, second, third = add_devices(db, 3, can_send=False)
    found = look(
        db, session("device1"), session("device2", can_send=False, state="qr", qr_required=True), session("other")
    )
    assert (found.came_back, found.in_trouble, found.to_start) == ([first], [], ["device3"])
    one, two, three = device(db, first), device(db, second), device(db, third)
    assert (one.state, one.can_send, one.error_code, one.phone) == ("open", True, None, "972501234567")
    assert (two.state, two.qr_required, two.error_code, two.error_reason) == ("qr", True, "qr_required", "gone")
    assert (three.state, three.connected, three.error_code) == ("no_session", False, "no_session")
    age = text("SELECT extract(epoch FROM clock_timestamp() - connected_since) FROM devices WHERE id = :id")
    assert 59 <= db.execute(age, {"id": first}).scalar_one() <= 70


def test_three_looks_at_a_phone_that_cannot_send_strike_it_out(db: Connection) -> None:
    (device_id,) = add_devices(db, 1)
    seen = []
    for _ in range(5):
        look(db, session("device1", can_send=False))
        soon = text("SELECT next_check_at < clock_timestamp() + interval '1 minute' FROM devices")
        seen.append((device(db, device_id).strikes, db.execute(soon).scalar_one()))
    # The first looks come quickly, so that its messages do not wait; then the usual round is enough.
    assert seen == [(1, True), (2, True), (3, False), (3, False), (3, False)]


def test_a_look_between_two_looks_that_finds_nothing_new_counts_no_strike(db: Connection) -> None:
    (device_id,) = add_devices(db, 1)
    assert look(db, session("device1", can_send=False)).in_trouble == [device_id]
    health.record(db, "default", Roster(None, [session("device1", can_send=False)]), interval_s=30)
    assert device(db, device_id).strikes == 1


def test_only_a_good_send_clears_the_strikes(db: Connection) -> None:
    (device_id,) = add_devices(db, 1)
    campaign_id = place_campaign(db)
    use_devices(db, campaign_id, device_id)
    place_message(db, campaign_id, device_id=device_id)
    trouble.strike(db, device_id, "not_connected", "gone")
    trouble.strike(db, device_id, "not_connected", "gone")
    back = look(db, session("device1"))
    assert (back.came_back, device(db, device_id).strikes) == ([device_id], 2)
    begun = begin_next(db, device_id)
    assert begun is not None
    deliver.record(db, begun, Sent("provider-1", 0.1), max_attempts=3, rng=random.Random(1))
    assert device(db, device_id).strikes == 0


def test_a_phone_that_is_back_resumes_what_waited_for_it(db: Connection) -> None:
    (device_id,) = add_devices(db, 1, can_send=False)
    campaign_id = place_campaign(db, "paused", pause_reason="no_device")
    use_devices(db, campaign_id, device_id)
    db.execute(text("UPDATE campaign_devices SET out_at = clock_timestamp()"))
    found = look(db, session("device1"))
    assert (found.came_back, found.resumed) == ([device_id], [campaign_id])
    assert look(db, session("device1")) == health.Look([], [], [], [])


def test_a_bridge_is_looked_at_when_its_time_has_come_or_a_phone_asks(db: Connection) -> None:
    assert health.due(db) == []  # no device, nothing to look at
    add_devices(db, 1)
    assert health.due(db) == ["default"]
    look(db, session("device1"))
    assert health.due(db) == []
    db.execute(text("UPDATE devices SET next_check_at = clock_timestamp()"))
    assert health.due(db) == ["default"]


def test_a_bridge_that_is_away_is_probed_ever_more_rarely_until_it_answers(db: Connection) -> None:
    add_devices(db, 1)
    look(db, session("device1"))
    waits = []
    for _ in range(7):
        db.execute(text("UPDATE bridges SET next_probe_at = clock_timestamp()"))
        assert health.due(db) == ["default"]
        trouble.bridge_away(db, "default", "bridge_unreachable", "refused")
        # What others find meanwhile does not push the next probe away.
        trouble.bridge_away(db, "default", "bridge_unreachable", "refused")
        assert health.due(db) == []
        wait = text("SELECT round(extract(epoch FROM next_probe_at - clock_timestamp())) FROM bridges")
        waits.append(int(db.execute(wait).scalar_one()))
    assert waits == [1, 2, 5, 10, 30, 30, 30]
    away = db.execute(text("SELECT away_since, error_code, failures FROM bridges")).one()
    assert (away.error_code, away.failures) == ("bridge_unreachable", 7)
    look(db, session("device1"))
    assert tuple(db.execute(text("SELECT away_since, error_code, failures FROM bridges")).one()) == (None, None, 0)
