"""A process without the key of the access tokens, beside others that have it: it stops none of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from random import Random
from types import SimpleNamespace

import pytest
import redis
from cloud_numbers import add_numbers
from people import workspace
from placing import begin_next, place_campaign, place_message, use_devices
from sqlalchemy import Connection, Engine, text

from actors import broker as brokers
from bridge.directory import CLOUD, Directory
from services import connection_check, deliver
from settings import Settings


@pytest.fixture
def keyless() -> Iterator[Directory]:
    directory = Directory("http://127.0.0.1:1", "a secret", send_limit_s=5, http_timeout_s=7)
    yield directory
    directory.close()


def test_what_it_cannot_send_waits_and_costs_nobody_anything(db: Connection, keyless: Directory) -> None:
    (number,) = add_numbers(db, 1)
    campaign_id = place_campaign(db)
    use_devices(db, campaign_id, number)
    place_message(db, campaign_id, device_id=number)
    begun = begin_next(db, number)
    assert begun is not None
    result = keyless.at(CLOUD).send(begun.outbound(None))
    assert deliver.record(db, begun, result, max_attempts=3, rng=Random(1)).status == "queued"
    device = db.execute(text("SELECT *, next_send_at - clock_timestamp() AS waits FROM devices")).one()
    assert (device.can_send, device.strikes, device.day_count, device.error_code) == (True, 0, 0, "token_unopened")
    assert timedelta(seconds=3) < device.waits <= timedelta(seconds=5)  # nor is it tried again at once
    assert db.execute(text("SELECT attempts_used FROM messages")).scalar_one() == 0
    assert db.execute(text("SELECT away_since, failures FROM bridges WHERE address = 'cloud'")).one() == (None, 0)


def test_its_launches_do_not_call_the_cloud_api_away(db: Connection, keyless: Directory) -> None:
    add_numbers(db, 1)
    connection_check.check(lambda work: work(db), keyless.look, workspace(db), None, interval_s=30)
    bridge = db.execute(text("SELECT away_since, failures, checked_at FROM bridges WHERE address = 'cloud'")).one()
    assert tuple(bridge) == (None, 0, None)


def test_nor_do_its_rounds(engine: Engine, redis_url: str, keyless: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    brokers.make(redis_url)
    from actors import upkeep  # noqa: PLC0415 - its actors are declared on the broker that stands by then

    with engine.begin() as db:
        add_numbers(db, 1)
    with redis.Redis.from_url(redis_url) as client:
        world = SimpleNamespace(engine=engine, redis=client, bridges=keyless, settings=Settings())
        monkeypatch.setattr(upkeep, "runtime", lambda: world)
        upkeep.check_health.fn()
    with engine.begin() as db:
        bridge = db.execute(text("SELECT away_since, failures, look_until FROM bridges WHERE address = 'cloud'")).one()
        assert tuple(bridge) == (None, 0, None)  # the next look is theirs who have the key
        assert db.execute(text("SELECT can_send, strikes FROM devices")).one() == (True, 0)
