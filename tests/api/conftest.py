"""The API over real servers: Postgres, Redis, the simulator in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from serving import Api, Simulator
from sqlalchemy import Engine


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    simulator = Simulator(tmp_path_factory.mktemp("bridge") / "simulator")
    simulator.start()
    yield simulator
    simulator.stop()


@pytest.fixture
def api(engine: Engine, database_url: str, redis_url: str, simulator: Simulator) -> Iterator[Api]:
    api = Api(engine, database_url, simulator, redis_url=redis_url)
    api.start()
    yield api
    api.stop()
