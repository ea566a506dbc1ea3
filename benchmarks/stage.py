"""The stage of a measurement: a fresh database, an empty Redis, the real processes, and devices that can send."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg2
import redis
import requests
from fleet import SECRETS, Fleet
from people import add_devices

from benchmarks import machine
from db.engine import connect_once
from db.migrate import migrate
from local.postgres import EmbeddedPostgres
from local.redis import EmbeddedRedis

LATENCY_MS = 40  # of a simulated send: the simulator's default
PATIENCE_S = 300.0
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Servers:
    """Postgres and Redis as `make up` starts them, and a folder for everything."""

    folder: Path
    postgres: EmbeddedPostgres
    redis: EmbeddedRedis


@contextmanager
def servers() -> Iterator[Servers]:
    """Start both; at the end nothing of them is left."""
    with TemporaryDirectory(prefix="fanfare-bench-") as name:
        folder = Path(name)
        postgres = EmbeddedPostgres(folder / "postgres", password="benchmarks")  # noqa: S106 - on loopback, for minutes
        queue = EmbeddedRedis(folder / "redis", password="benchmarks")  # noqa: S106
        try:
            postgres.start()
            queue.start()
            yield Servers(folder, postgres, queue)
        finally:
            queue.remove()
            postgres.remove()


@dataclass(frozen=True)
class Stage:
    """Everything runs; nothing has been launched."""

    servers: Servers
    fleet: Fleet
    redis: redis.Redis

    def parts(self) -> dict[str, int]:
        """The processes by the name that the tables give them."""
        names = {"bridge": "simulator"}
        ours = {names.get(name, name): process.pid for name, process in self.fleet.processes.items()}
        return {**ours, "postgres": self.servers.postgres.pid, "redis": self.servers.redis.pid}

    def read(self) -> machine.Reading:
        return machine.read(self.parts())

    def redis_mb(self) -> float:
        """What Redis holds, both of its databases together."""
        return float(self.redis.info("memory")["used_memory"]) / 1e6

    def now_s(self) -> float:
        """The database's clock, as Unix time: the one that due and begun are told by."""
        return float(self.fleet.one("SELECT extract(epoch FROM clock_timestamp())"))


@contextmanager
def stage(of: Servers, *, devices: int, gap_s: tuple[float, float], receipts: bool, threads: int) -> Iterator[Stage]:
    """Set the stage; with ``receipts`` the API runs too and every session's events have been applied."""
    database = f"bench_{next(_numbers)}"
    url = f"{of.postgres.url.rpartition('/')[0]}/{database}"
    client = redis.Redis.from_url(of.redis.url)
    client.flushall()
    _admin(of.postgres.url, f"CREATE DATABASE {database}", "CHECKPOINT")
    migrate(connect_once(url, name="benchmarks"))
    fleet = Fleet(
        of.folder / database,
        url,
        of.redis.url,
        simulator_receipts=str(receipts).lower(),
        simulator_latency_ms=LATENCY_MS,
        worker_threads=threads,
    )
    if not receipts:
        del fleet.settings["EVENTS_URL"]
    try:
        with fleet.engine.begin() as db:
            add_devices(db, devices, gap_s=gap_s[0], max_gap_s=gap_s[1])
        fleet.start(*(["bridge", "api"] if receipts else ["bridge"]))
        _open_sessions(fleet, devices)
        fleet.start("worker", "dispatcher")
        _wait(
            lambda: fleet.one("SELECT every(checked_at IS NOT NULL) FROM bridges"), "a worker has looked at the bridge"
        )
        if receipts:
            _wait(lambda: _quiet(fleet, devices), "the events of all sessions are applied")
        yield Stage(of, fleet, client)
    except TimeoutError as error:
        for name in fleet.processes:
            error.add_note(f"{name} said last: {fleet.log(name)[-1000:]}")
        raise
    finally:
        fleet.stop()
        client.close()
        _admin(of.postgres.url, f"DROP DATABASE {database} WITH (FORCE)")


def _open_sessions(fleet: Fleet, devices: int) -> None:
    with requests.Session() as session:
        session.headers["X-Internal-Secret"] = SECRETS["BRIDGE_SECRET"]
        for number in range(1, devices + 1):
            session.post(f"{fleet.bridge_url}/whatsapp/device{number}/start", timeout=30).raise_for_status()
    _wait(lambda: all(one["can_send"] for one in fleet.bridge("GET", "/whatsapp")["sessions"]), "all sessions are open")


def _quiet(fleet: Fleet, devices: int) -> bool:
    opened = fleet.one("SELECT count(DISTINCT session) FROM events WHERE data->>'state' = 'open'")
    return opened == devices and not fleet.one("SELECT count(*) FROM events WHERE applied_at IS NULL")


def _wait(done: Callable[[], Any], what: str) -> None:
    wait_until(done, what, every_s=0.5)


def wait_until(done: Callable[[], Any], what: str, *, every_s: float) -> None:
    """Look at intervals until ``done``. Raises TimeoutError, naming what was waited for."""
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {PATIENCE_S:.0f} s: {what}")
        time.sleep(every_s)


def _admin(url: str, *statements: str) -> None:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    finally:
        connection.close()
