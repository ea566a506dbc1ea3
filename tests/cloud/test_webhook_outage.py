"""Postgres is away while Meta posts: it is told to come again, does, and nothing is lost or there twice.

How long it is away is AWAY_S, in seconds (a few here; 30 is what was asked for).
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from fleet import Fleet
from posting import SETTINGS, body, post, status
from waiting import until

from api.webhooks import ANSWER_S
from db.engine import connect_once
from db.migrate import migrate
from local.postgres import EmbeddedPostgres

AWAY_S = float(os.environ.get("AWAY_S", "3"))
SENDERS = 8


class Meta:
    """Posts statuses from several threads, each until it is taken, as Meta does in seven days."""

    def __init__(self, fleet: Fleet) -> None:
        self.told: set[str] = set()
        self.answers: list[int] = []
        self.slowest_s = 0.0
        self._fleet = fleet
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(SENDERS)]
        for thread in self._threads:
            thread.start()

    def count(self, answer: int) -> int:
        return self.answers.count(answer)

    def finish(self) -> None:
        """Begin nothing more, and post what was begun until it is taken."""
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        pause = threading.Event()
        while not self._done.is_set():
            statuses = [status() for _ in range(3)]
            self.told.update(each["id"] for each in statuses)
            raw = body(statuses)
            while self._post(raw) != 200:
                pause.wait(0.1)

    def _post(self, raw: bytes) -> int:
        began = time.monotonic()
        answer = post(self._fleet, raw).status_code
        self.slowest_s = max(self.slowest_s, time.monotonic() - began)
        self.answers.append(answer)
        return answer


@contextmanager
def killed(postgres: EmbeddedPostgres) -> Iterator[None]:
    """It is gone: connections break, and new ones are refused."""
    postgres.kill()
    try:
        yield
    finally:
        postgres.start()


@contextmanager
def frozen(postgres: EmbeddedPostgres) -> Iterator[None]:
    """It neither answers nor refuses."""
    signal_all(postgres, signal.SIGSTOP)
    try:
        yield
    finally:
        signal_all(postgres, signal.SIGCONT)


def signal_all(postgres: EmbeddedPostgres, number: int) -> None:
    """Send a signal to the server and all its processes, the first first, so that it starts no other."""
    children = Path(f"/proc/{postgres.pid}/task/{postgres.pid}/children")
    os.kill(postgres.pid, number)
    for pid in children.read_text().split():
        os.kill(int(pid), number)


@pytest.fixture
def postgres_of_its_own(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path / "postgres", password="tests", fsync=False)
    server.start()
    migrate(connect_once(server.url, name="tests"))
    yield server
    server.remove()


@pytest.mark.parametrize("away", [killed, frozen])
def test_nothing_is_lost_while_postgres_is_away(
    away: Callable[[EmbeddedPostgres], AbstractContextManager[None]],
    postgres_of_its_own: EmbeddedPostgres,
    redis_url: str,
    tmp_path: Path,
) -> None:
    fleet = Fleet(tmp_path / "fleet", postgres_of_its_own.url, redis_url, **SETTINGS)
    try:
        fleet.start("api")
        meta = Meta(fleet)
        try:
            until(lambda: meta.count(200) > 50, "posts are taken")
            with away(postgres_of_its_own):
                end = time.monotonic() + AWAY_S
                until(
                    lambda: meta.count(503) >= SENDERS and time.monotonic() > end,
                    "it is told to come again",
                    AWAY_S + 30,
                )
            before = meta.count(200)
            until(lambda: meta.count(200) > before + 50, "posts are taken again")
        finally:
            meta.finish()
        fleet.engine.dispose()  # its connections are those from before
        kept = [row.id for row in fleet.rows("SELECT data ->> 'message_id' AS id FROM events")]
        assert len(kept) == len(set(kept))
        assert set(kept) == meta.told
        assert set(meta.answers) == {200, 503}
        assert meta.slowest_s < ANSWER_S + 3
        assert "Traceback" not in fleet.log("api")
    finally:
        fleet.stop()
