"""The mutex of a session: one owner, who alone releases it, for its lifetime at most (R12)."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from waiting import until

from actors import broker as brokers
from actors.due import Due
from actors.mutex import Mutex
from settings import Settings


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(redis_url)
    yield client
    client.close()


def test_it_is_held_by_one_at_a_time(client: redis.Redis) -> None:
    mutex = Mutex(client, lifetime_s=60)
    with mutex.hold("1:0") as first:
        with mutex.hold("1:0") as second, mutex.hold("2:0") as other:
            assert (first, second, other) == (True, False, True)
        with mutex.hold("1:0") as third:  # who did not get it has not released it
            assert not third
    with mutex.hold("1:0") as again:
        assert again


def test_it_expires_and_a_late_release_frees_nobody_elses(client: redis.Redis) -> None:
    late, mutex = Mutex(client, lifetime_s=0.01), Mutex(client, lifetime_s=60)
    with late.hold("1:0"):
        until(lambda: not client.exists("fanfare:mutex:1:0"), "it expires", within_s=5)
        successor = mutex.hold("1:0")
        assert successor.__enter__()
    with mutex.hold("1:0") as third:
        assert not third
    successor.__exit__(None, None, None)


def test_a_send_begins_nothing_while_another_holds_its_session(
    client: redis.Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    brokers.make(redis_url)
    from actors import sending  # noqa: PLC0415 - its actor is declared on the broker that stands by then

    asked: list[Any] = []
    world = SimpleNamespace(mutex=Mutex(client, lifetime_s=60), engine=None, due=Due(client), worker_id="", rng=None)
    world.settings = Settings()
    monkeypatch.setattr(sending, "runtime", lambda: world)
    monkeypatch.setattr(sending, "_begin", lambda *begin: asked.append(begin) or (None, 0.0))
    monkeypatch.setattr(sending, "run", lambda *_work: None)
    with world.mutex.hold("1:0"):
        sending.send_next.fn(1, 0)
    assert asked == []
    sending.send_next.fn(1, 0)
    assert asked != []
