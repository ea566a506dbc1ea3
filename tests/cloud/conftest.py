"""A fake Graph for each test, and our client for its numbers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from graph import Graph
from graph_accounts import Numbers, client
from graph_world import Number

from bridge.cloud.client import CloudBridge


@pytest.fixture
def graph() -> Iterator[Graph]:
    with Graph() as graph:
        yield graph


@pytest.fixture
def number(graph: Graph) -> Number:
    return graph.add_number()


@pytest.fixture
def numbers(graph: Graph) -> Numbers:
    """Whose tokens our client has: at first all of the fake's."""
    return Numbers(graph)


@pytest.fixture
def cloud(graph: Graph, numbers: Numbers) -> CloudBridge:
    return client(graph.url, numbers)
