"""The ground of a long run: servers of its own, a fleet over them, and nothing left of either, however the run ends."""

from __future__ import annotations

import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from fleet import Fleet

from db.engine import connect_once
from db.migrate import migrate
from local.postgres import EmbeddedPostgres
from local.reaper import Reaper
from local.redis import EmbeddedRedis

GRACE_S = 0.0  # what is left when we were killed ourselves has nothing to finish


class WatchedFleet(Fleet):
    """A fleet whose processes end even when the one that started them is killed."""

    def __init__(self, folder: Path, database_url: str, redis_url: str, **settings: Any) -> None:
        super().__init__(folder, database_url, redis_url, **settings)
        self._reaper = Reaper(GRACE_S)

    def _spawn(self, name: str, own: dict[str, str]) -> None:
        super()._spawn(name, own)
        self._reaper.watch(self.processes[name].pid)

    def kill(self, name: str) -> None:
        pid = self.processes[name].pid
        super().kill(name)
        self._reaper.forget(pid)

    def ids(self, name: str) -> set[str]:
        """Under which a process and its children may stand in the database."""
        return {f"{socket.gethostname()}:{pid}" for pid in self.pids(name)}

    def stop(self) -> None:
        pids = [process.pid for process in self.processes.values()]
        super().stop()
        for pid in pids:
            self._reaper.forget(pid)
        self._reaper.close()


@dataclass(frozen=True)
class Ground:
    """Where a run takes place. Servers live as long as the thread that started them: break them from that one."""

    fleet: WatchedFleet
    postgres: EmbeddedPostgres
    redis: EmbeddedRedis

    def kill_bridge(self) -> None:
        self.fleet.kill("bridge")
        self.fleet.start("bridge")

    def kill_and_empty_redis(self) -> None:
        self.redis.kill()
        shutil.rmtree(self.redis.data)
        self.redis.start()

    def kill_postgres(self) -> None:
        self.postgres.kill()
        self._start_postgres()

    def stop_postgres(self) -> None:
        self.postgres.stop()
        self._start_postgres()

    def _start_postgres(self) -> None:
        self.postgres.start()
        self.fleet.engine.dispose()


@contextmanager
def ground(folder: Path, **settings: Any) -> Iterator[Ground]:
    """Servers and a fleet below ``folder``, for as long as the block lasts; nothing of the fleet is started."""
    with ExitStack() as stack:
        postgres = EmbeddedPostgres(folder / "postgres", password="chaos", fsync=False)
        stack.callback(postgres.remove)
        postgres.start()
        redis = EmbeddedRedis(folder / "redis", password="chaos", fsync=False)
        stack.callback(redis.remove)
        redis.start()
        migrate(connect_once(postgres.url, name="chaos"))
        fleet = WatchedFleet(folder / "fleet", postgres.url, redis.url, **settings)
        stack.callback(fleet.stop)
        yield Ground(fleet, postgres, redis)


@contextmanager
def own_folder() -> Iterator[Path]:
    """A folder for one run. It stays, for its logs, when the run fails; the error says where."""
    folder = Path(tempfile.mkdtemp(prefix="fanfare-chaos-"))
    try:
        yield folder
    except Exception as error:
        error.add_note(f"logs and the bridge's ledger: {folder / 'fleet'}")
        raise
    except BaseException:
        shutil.rmtree(folder)
        raise
    shutil.rmtree(folder)


def end_in_good_order() -> None:
    """SIGTERM ends us as Ctrl-C does: what was started is stopped on the way out."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
