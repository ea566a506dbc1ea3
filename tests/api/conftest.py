"""The API over real servers: Postgres, Redis, the simulator in a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "cloud"))

from databases import database
from graph import Graph
from serving import CLOUD_TOKEN_KEY, Api, Simulator
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


@pytest.fixture(scope="module")
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


@pytest.fixture
def graph() -> Iterator[Graph]:
    """Meta."""
    with Graph() as graph:
        yield graph


@pytest.fixture
def cloud_api(engine: Engine, database_url: str, redis_url: str, simulator: Simulator, graph: Graph) -> Iterator[Api]:
    """The API where official numbers can be had."""
    settings = {"cloud_token_key": CLOUD_TOKEN_KEY, "cloud_graph_url": graph.url}
    api = Api(engine, database_url, simulator, redis_url=redis_url, **settings)
    api.start()
    yield api
    api.stop()
