"""Servers of its own for each test that breaks them, and a fleet over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import full_disk
import pytest
from fleet import Fleet
from full_disk import DiskThatFills
from proxy import Proxy

from db.engine import connect_once
from db.migrate import migrate
from local.postgres import EmbeddedPostgres


@pytest.fixture
def own_postgres(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path / "postgres", password="tests", fsync=False)
    server.start()
    migrate(connect_once(server.url, name="tests"))
    yield server
    server.remove()


@pytest.fixture
def proxy_to() -> Iterator[Callable[[str], tuple[Proxy, str]]]:
    """Puts a proxy before the server of a URL; gives it, and the URL that leads through it."""
    proxies: list[Proxy] = []

    def put(url: str) -> tuple[Proxy, str]:
        head, _, tail = url.rpartition(":")
        port, slash, path = tail.partition("/")
        proxy = Proxy(int(port))
        proxies.append(proxy)
        return proxy, f"{head}:{proxy.port}{slash}{path}"

    yield put
    for proxy in proxies:
        proxy.close()


@pytest.fixture
def fleet(make_fleet: Callable[..., Fleet]) -> Fleet:
    """A fleet over this test's database, with leases short enough to wait for."""
    return make_fleet(send_limit_s=1, simulator_receipts="false")


@pytest.fixture
def disk_that_fills(tmp_path: Path) -> Iterator[DiskThatFills]:
    server = EmbeddedPostgres(tmp_path / "postgres", password="tests", fsync=False)
    server.folder.mkdir()
    home = server.data.parent
    small = full_disk.mounted(home)
    server.start()
    migrate(connect_once(server.url, name="tests"))
    yield DiskThatFills(server, home / "ballast" if small else None)
    server.stop()
    if small:
        full_disk.unmount(home)
    server.remove()
