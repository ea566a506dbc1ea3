"""The sidecar over the fake WhatsApp: one of each that tests share, and others that a test may break."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "contract"))

from bridges import Receiver
from databases import database
from partner import FakeWhatsApp, LinkedBridge, Sidecar, sidecar, whatsapp

from local.postgres import EmbeddedPostgres

_numbers = count(1)


@pytest.fixture(scope="session")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeWhatsApp]:
    """One WhatsApp for all tests: each has phones and people of its own."""
    with whatsapp(tmp_path_factory.mktemp("whatsapp")) as running:
        yield running


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="session")
def shared_bridge(
    tmp_path_factory: pytest.TempPathFactory, postgres: EmbeddedPostgres, fake: FakeWhatsApp, receiver: Receiver
) -> Iterator[LinkedBridge]:
    folder = tmp_path_factory.mktemp("sidecar")
    with (
        database(postgres.url, "shared_sidecar") as url,
        sidecar(folder, url, fake, 10, **receiver.settings) as running,
    ):
        yield running.bridge


@pytest.fixture
def bridge(shared_bridge: LinkedBridge) -> LinkedBridge:
    return shared_bridge


@pytest.fixture
def session(bridge: LinkedBridge) -> str:
    """A linked session that no other test uses."""
    return bridge.new_session()


@pytest.fixture
def empty_database(postgres: EmbeddedPostgres) -> Iterator[str]:
    with database(postgres.url, f"sidecar_{next(_numbers)}") as url:
        yield url


@pytest.fixture
def start_sidecar(
    tmp_path: Path, empty_database: str, fake: FakeWhatsApp, receiver: Receiver
) -> Iterator[Callable[..., Sidecar]]:
    """Sidecars over this test's database, which it may kill."""
    started: list[Sidecar] = []

    def start(database_url: str = empty_database, **settings: str) -> Sidecar:
        folder = tmp_path / f"sidecar{len(started)}"
        started.append(Sidecar(folder, database_url, fake, **receiver.settings | settings))
        return started[-1]

    yield start
    for each in started:
        each.end()


@pytest.fixture
def own(start_sidecar: Callable[..., Sidecar]) -> Sidecar:
    """A sidecar of this test alone."""
    return start_sidecar()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Threads for calls that are under way while the test does something else."""
    with ThreadPoolExecutor(8) as threads:
        yield threads
