"""Each bridge once for the whole suite, as a real process; every test uses a session and people of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

sys.path += [str(Path(__file__).parents[1] / folder) for folder in ("baileys", "cloud")]

from bridges import Bridge, Receiver, Simulator, simulator
from databases import database
from partner import LinkedBridge, sidecar, whatsapp

from local.postgres import EmbeddedPostgres

BRIDGES = ("simulator", "baileys")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "simulator_only: needs controls that only the simulator has")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What asks for ``bridge`` runs over every implementation of the contract."""
    if "bridge" in metafunc.fixturenames:
        alone = metafunc.definition.get_closest_marker("simulator_only")
        metafunc.parametrize("bridge", BRIDGES[:1] if alone else BRIDGES, indirect=True, scope="session")


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="session")
def shared_simulator(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[Simulator]:
    with simulator(tmp_path_factory.mktemp("simulator"), 60, **receiver.settings) as running:
        yield running


@pytest.fixture(scope="session")
def linked_bridge(
    tmp_path_factory: pytest.TempPathFactory, postgres: EmbeddedPostgres, receiver: Receiver
) -> Iterator[LinkedBridge]:
    """A sidecar whose sessions are linked to phones of the fake WhatsApp."""
    folder = tmp_path_factory.mktemp("sidecar")
    with (
        database(postgres.url, "contract") as url,
        whatsapp(folder) as fake,
        sidecar(folder, url, fake, 60, **receiver.settings) as running,
    ):
        yield running.bridge


@pytest.fixture(scope="session")
def bridge(request: pytest.FixtureRequest) -> Bridge:
    """The bridge under test."""
    if request.param == "baileys":
        linked: LinkedBridge = request.getfixturevalue("linked_bridge")
        return linked
    running: Simulator = request.getfixturevalue("shared_simulator")
    return running.bridge


@pytest.fixture
def session(bridge: Bridge) -> str:
    """A session that can send and that no other test uses."""
    return bridge.new_session()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Threads for calls that are under way while the test does something else."""
    with ThreadPoolExecutor(24) as threads:
        yield threads
