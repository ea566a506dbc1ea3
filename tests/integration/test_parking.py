"""Breakers: a restricted or banned phone is parked whatever its bridge says, and a bridge is looked at by one at a time."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from people import add_devices, launch_to, phones, workspace
from placing import begin_next
from sqlalchemy import Connection, Engine, text

from bridge.protocol import BridgeAwayError, NotSent, Roster, Sent, SessionStatus
from db.engine import run
from services import deliver, device_views, distribute, health, trouble

WELL = SessionStatus("device1", "open", True, True, False, 5, None, None, None)
PARKED = (
    "SELECT can_send, strikes, error_code, round(extract(epoch FROM parked_until - clock_timestamp()) / 60)::int"
    " FROM devices"
)


def _refused(db: Connection, code: str, device: int) -> None:
    """Its next send is refused with this code."""
    begun = begin_next(db, device)
    assert begun is not None
    deliver.record(db, begun, NotSent(code, "no", "answer", retryable=True), max_attempts=3, rng=random.Random(1))


def _waiting_device(db: Connection) -> int:
    (device,) = add_devices(db, 1)
    distribute.distribute(db, launch_to(db, phones(3)).campaign_id)
    return device


def _time_passes(db: Connection) -> None:
    """To the end of a parking."""
    db.execute(text("UPDATE devices SET parked_until = clock_timestamp(), next_check_at = clock_timestamp()"))


def _look(db: Connection, told: SessionStatus) -> health.Look:
    return health.record(db, "default", Roster(None, [told]), interval_s=30)


def test_a_restricted_phone_is_parked_for_longer_each_time_whatever_its_bridge_says(engine: Engine) -> None:
    with engine.begin() as db:
        device = _waiting_device(db)
        for minutes, strikes in ((5, 3), (10, 4), (20, 5)):
            _refused(db, "restricted", device)
            assert not _look(db, WELL).came_back
            assert db.execute(text(PARKED)).one() == (False, strikes, "restricted", minutes)
            assert begin_next(db, device) is None
            _time_passes(db)
            assert _look(db, WELL).came_back == [device]
        begun = begin_next(db, device)
        assert begun is not None
        deliver.record(db, begun, Sent("id", 0.0), max_attempts=3, rng=random.Random(1))
        _refused(db, "restricted", device)
        assert db.execute(text(PARKED)).one() == (False, 1, "restricted", 5)  # it had sent in between


def test_a_restricted_phone_is_parked_until_the_time_that_its_bridge_tells_once(engine: Engine) -> None:
    with engine.begin() as db:
        device = _waiting_device(db)
        told = replace(WELL, can_send=False, restricted_until=datetime.now(UTC) + timedelta(minutes=3))
        _refused(db, "restricted", device)
        assert _is_looked_at_soon(db)  # the answer to a send does not tell it
        _look(db, told)
        assert db.execute(text(PARKED)).one() == (False, 3, "restricted", 3)
        view = device_views.one(db, workspace(db), device)
        assert view is not None
        assert view.restricted_until == told.restricted_until
        _time_passes(db)
        assert _look(db, WELL).came_back == [device]
        _refused(db, "restricted", device)
        _look(db, told)  # refused again at that time, it is not believed any more
        assert db.execute(text(PARKED)).one() == (False, 4, "restricted", 10)


def test_a_restriction_that_a_look_finds_takes_the_phone_out_at_once(engine: Engine) -> None:
    with engine.begin() as db:
        _waiting_device(db)
        until_then = datetime.now(UTC) + timedelta(hours=2)
        _look(db, replace(WELL, can_send=False, restricted_until=until_then))
        assert db.execute(text(PARKED)).one() == (False, 3, "restricted", 120)
        assert db.execute(text("SELECT next_check_at FROM devices")).scalar_one() == until_then


@pytest.mark.parametrize("seen_to", ["paired anew", "paired between two looks", "started"])
def test_a_banned_phone_is_parked_until_somebody_sees_to_it(engine: Engine, seen_to: str) -> None:
    with engine.begin() as db:
        device = _waiting_device(db)
        _refused(db, "banned", device)
        assert not _look(db, WELL).came_back  # it never was down
        assert begin_next(db, device) is None
        down = replace(WELL, state="banned", connected=False, can_send=False, qr_required=True)
        if seen_to == "started":
            trouble.unpark(db, device)
        elif seen_to == "paired anew":
            _look(db, replace(down, state="qr"))
        else:
            _look(db, down)
        assert _look(db, WELL).came_back == [device]
        assert begin_next(db, device) is not None


def test_a_bridge_is_looked_at_by_one_at_a_time(engine: Engine) -> None:
    with engine.begin() as db:
        add_devices(db, 1)
    with ThreadPoolExecutor(10) as threads:
        taken = list(threads.map(lambda _: run(engine, lambda db: health.take(db, "default")), range(10)))
    assert sorted(taken) == [False] * 9 + [True]
    with engine.begin() as db:
        # A send that fails meanwhile finds it away, and lets nobody else look.
        trouble.bridge_away(db, "default", "bridge_unreachable", "no answer")
        db.execute(text("UPDATE bridges SET next_probe_at = clock_timestamp()"))
        assert health.due(db) == []
        health.away(db, "default", BridgeAwayError("bridge_unreachable", "no answer"))
        assert db.execute(text("SELECT failures, look_until FROM bridges")).one() == (2, None)
        db.execute(text("UPDATE bridges SET next_probe_at = clock_timestamp()"))
        assert health.take(db, "default")
        # Who looked was lost.
        db.execute(text("UPDATE bridges SET look_until = clock_timestamp()"))
        assert health.take(db, "default")


def _is_looked_at_soon(db: Connection) -> bool:
    soon = "SELECT next_check_at < clock_timestamp() + interval '1 minute' FROM devices"
    return bool(db.execute(text(soon)).scalar_one())
