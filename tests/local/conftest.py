"""What the tests of this folder share."""

import pwd
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.child import Owner
from local.place import SHARED, UNPRIVILEGED


@pytest.fixture(scope="session", autouse=True)
def nothing_left_behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Root's databases lie outside the temporary folders: the tests remove each one they make."""
    ours = str(tmp_path_factory.getbasetemp())

    def notes() -> set[Path]:
        return {note for note in SHARED.glob("*/*.made-for") if note.read_text().startswith(ours)}

    before = notes()  # the database that all other tests share stays to their end
    yield
    assert notes() <= before


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port on which somebody else listens."""
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        somebody.listen()
        yield somebody.getsockname()[1]


@pytest.fixture
def as_unprivileged() -> Callable[[], Owner]:
    def look_up() -> Owner:
        user = pwd.getpwnam(UNPRIVILEGED)
        return Owner(user.pw_uid, user.pw_gid)

    return look_up
