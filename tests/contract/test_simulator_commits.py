"""What is on disk at each moment of a send, seen by a second connection: that is what a SIGKILL would leave."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from bridges import fresh, text_to

from bridge.simulator.contract import Answer, read_attempt
from bridge.simulator.ledger import Ledger
from bridge.simulator.outbox import Outbox
from bridge.simulator.sending import Sender
from bridge.simulator.sessions import Session, Sessions
from bridge.simulator.store import Store

pytestmark = pytest.mark.simulator_only


class Disk:
    """A sender on a file, and what a second connection sees in that file."""

    def __init__(self, path: Path, latency_s: float) -> None:
        self.store = Store(path)
        self.ledger = Ledger(self.store)
        self._outbox = Outbox(self.store, "http://127.0.0.1:9/never", "secret")
        self._sender = Sender(
            store=self.store,
            ledger=self.ledger,
            sessions=Sessions(self.store, self._outbox),
            outbox=self._outbox,
            latency_s=latency_s,
            receipts=True,
        )
        self._session = Session("s", "open", paired=True)
        self._seen = sqlite3.connect(path)

    async def send(self, ending: str | None = None) -> Answer | None:
        async def client_gone() -> None: ...

        attempt = read_attempt("s", text_to(fresh(ending), "k.1"))
        return await self._sender.send(self._session, attempt, None, client_gone)

    def seen(self) -> tuple[str | None, int, int]:
        """The key's state, the hand-overs and the events that are on disk."""
        state = self._seen.execute("SELECT state FROM keys").fetchone()
        handovers = self._seen.execute("SELECT count(*) FROM handovers").fetchone()
        events = self._seen.execute("SELECT count(*) FROM outbox WHERE body LIKE '%receipt%'").fetchone()
        return state and state[0], handovers[0], events[0]

    def close(self) -> None:
        self._seen.close()
        self._outbox.close()
        self.store.close()


def on_disk(path: Path, latency_s: float, story: Callable[[Disk], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        disk = Disk(path / "simulator.db", latency_s)
        try:
            return await story(disk)
        finally:
            await disk.store.committed()
            disk.close()

    return asyncio.run(run())


@pytest.mark.parametrize("latency_s", [0, 0.02])
def test_each_step_is_on_disk_before_the_next(tmp_path: Path, latency_s: float) -> None:
    async def watch(disk: Disk) -> list[Any]:
        send = asyncio.create_task(disk.send())
        moments = []
        while not send.done():
            moments.append(disk.seen())
            await asyncio.sleep(0)
        return [moment for moment, _ in groupby(moments)]

    reserved = [("reserved", 0, 0)] if latency_s else []
    assert on_disk(tmp_path, latency_s, watch) == [
        (None, 0, 0),
        *reserved,
        ("dispatching", 0, 0),
        ("dispatching", 1, 2),
        ("sent", 1, 2),
    ]


@pytest.mark.parametrize(
    ("ending", "left"),
    [(None, ("sent", 1, 2)), ("99001", ("failed", 0, 0)), ("99007", ("dispatching", 1, 2)), ("99011", (None, 0, 0))],
)
def test_what_is_answered_is_on_disk(tmp_path: Path, ending: str | None, left: tuple[str | None, int, int]) -> None:
    async def answered(disk: Disk) -> Any:
        assert await disk.send(ending) is not None
        return disk.seen()  # in the same turn of the loop in which the answer is ready

    assert on_disk(tmp_path, 0, answered) == left


def test_writes_of_one_turn_share_a_commit(tmp_path: Path) -> None:
    async def three(disk: Disk) -> list[int]:
        counts = []
        for number in range(3):
            disk.store.write("INSERT INTO tries VALUES (?, 1)", str(number))
            counts.append(len(sqlite_rows(tmp_path)))
        await disk.store.committed()
        return [*counts, len(sqlite_rows(tmp_path))]

    assert on_disk(tmp_path, 0, three) == [0, 0, 0, 3]


def test_keys_and_handovers_are_kept_thirty_days(tmp_path: Path) -> None:
    days = 24 * 3600

    async def age(disk: Disk) -> list[tuple[str | None, int, int]]:
        await disk.send()
        at = disk.store.read("SELECT updated_at FROM keys")[0][0]
        seen = []
        for now in (at + 29.9 * days, at + 30.1 * days):
            disk.ledger.forget_old(now)
            await disk.store.committed()
            seen.append(disk.seen())
        return seen

    assert on_disk(tmp_path, 0, age) == [("sent", 1, 2), (None, 0, 2)]


def sqlite_rows(folder: Path) -> list[Any]:
    connection = sqlite3.connect(folder / "simulator.db")
    try:
        return connection.execute("SELECT * FROM tries").fetchall()
    finally:
        connection.close()
