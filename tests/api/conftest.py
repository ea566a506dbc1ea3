"""The API over real servers: Postgres, Redis, the simulator in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from databases import database
from serving import Api, Simulator
from sqlalchemy import Engine

from db.engine import connect
from local.postgres import EmbeddedPostgres
from local.redis import EmbeddedRedis


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    simulator = Simulator(tmp_path_factory.mktemp("bridge") / "simulator")
    simulator.start()
    yield simulator
    simulator.stop()


@pytest.fixture(scope="session")
def refusing_api(
    postgres: EmbeddedPostgres, template: str, redis_server: EmbeddedRedis, simulator: Simulator
) -> Iterator[Api]:
    """One for all tests whose every request is refused: nothing changes in it, so nothing is made anew."""
    with database(postgres.url, "refusing", template=template) as url:
        engine = connect(url, threads=4, name="tests")
        api = Api(engine, url, simulator, redis_url=redis_server.url)
        api.start()
        yield api
        api.stop()
        engine.dispose()


@pytest.fixture
def api(engine: Engine, database_url: str, redis_url: str, simulator: Simulator) -> Iterator[Api]:
    api = Api(engine, database_url, simulator, redis_url=redis_url)
    api.start()
    yield api
    api.stop()
