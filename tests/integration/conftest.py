"""What the tests over rows share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from people import add_devices
from sqlalchemy import Connection, Engine


@pytest.fixture
def db(engine: Engine) -> Iterator[Connection]:
    """A transaction on the test's database, committed at the end."""
    with engine.begin() as connection:
        yield connection


@pytest.fixture
def device(db: Connection) -> int:
    """A phone that can send, without any gap."""
    return add_devices(db, 1)[0]
