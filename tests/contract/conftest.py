"""One bridge for the whole suite, as a real process; every test uses a session and people of its own."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from bridges import Bridge, Receiver, Simulator, simulator


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "simulator_only: needs controls that only the simulator has")


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="session")
def shared_simulator(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[Simulator]:
    with simulator(tmp_path_factory.mktemp("simulator"), 60, **receiver.settings) as running:
        yield running


@pytest.fixture(scope="session", params=["simulator"])
def bridge(shared_simulator: Simulator) -> Bridge:
    """The bridge under test: every implementation of the contract is a parameter here."""
    return shared_simulator.bridge


@pytest.fixture
def session(bridge: Bridge) -> str:
    """A session that can send and that no other test uses."""
    return bridge.new_session()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Threads for calls that are under way while the test does something else."""
    with ThreadPoolExecutor(24) as threads:
        yield threads
