"""Real servers for every test: one Postgres and one Redis for the session, and a migrated database for each test."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import settings
from sqlalchemy import Engine

sys.path.insert(0, str(Path(__file__).parent))

from databases import database
from fleet import Fleet

from db.engine import connect, connect_once
from db.migrate import migrate
from local.postgres import EmbeddedPostgres
from local.redis import EmbeddedRedis

# Machines are shared and numbers of a new country load its tables: how long one example takes proves nothing.
settings.register_profile("fanfare", deadline=None)
settings.load_profile("fanfare")

_numbers = count(1)

# What the operator has set for himself must not reach a test.
for name in [name for name in os.environ if name.endswith(("_URL", "_SECRET")) or name in ("API_TOKEN", "PORT")]:
    del os.environ[name]


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), password="tests", fsync=False)
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(tmp_path_factory.mktemp("redis"), password="tests", fsync=False)
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def template(postgres: EmbeddedPostgres) -> Iterator[str]:
    """The name of a migrated, empty database, which is copied for each test."""
    with database(postgres.url, "template_for_tests") as url:
        migrate(connect_once(url, name="tests"))
        yield "template_for_tests"


@pytest.fixture
def database_url(postgres: EmbeddedPostgres, template: str) -> Iterator[str]:
    with database(postgres.url, f"test_{next(_numbers)}", template=template) as url:
        yield url


@pytest.fixture
def unmigrated(postgres: EmbeddedPostgres) -> Iterator[str]:
    """The URL of a database that was never migrated."""
    with database(postgres.url, "unmigrated") as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = connect(database_url, threads=20, name="tests")
    yield engine
    engine.dispose()


@pytest.fixture
def redis_url(redis_server: EmbeddedRedis) -> str:
    redis.Redis.from_url(redis_server.url).flushall()
    return redis_server.url


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    """A Redis of this test alone, which it may break."""
    server = EmbeddedRedis(tmp_path / "redis", password="tests", fsync=False)
    server.start()
    yield server
    server.remove()


@pytest.fixture
def make_fleet(database_url: str, redis_url: str, tmp_path: Path) -> Iterator[Callable[..., Fleet]]:
    """Fleets of real processes over this test's database; stopped, and shown when the test failed, at its end."""
    fleets: list[Fleet] = []

    def make(**settings: Any) -> Fleet:
        fleet = Fleet(tmp_path / f"fleet{len(fleets)}", database_url, redis_url, **settings)
        fleets.append(fleet)
        return fleet

    yield make
    for fleet in fleets:
        fleet.stop()
