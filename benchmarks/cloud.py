"""``python -m benchmarks.cloud``: one number of the Cloud API against the tests' Graph; writes its part of docs/cloud.md.

What counts is when messages arrive at Graph, by the clock of this machine, and how long each webhook waits for its answer.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import redis
import requests
from cloud_numbers import add_numbers
from databases import database
from fleet import Fleet
from people import launch_to, phones, workspace
from sqlalchemy import text

from benchmarks import ROOT, machine
from benchmarks.cloud_figures import Arrivals, Cloud, Fast, Steady, Strict, Webhooks, page
from benchmarks.machine import between
from benchmarks.page import put
from benchmarks.sends import percentile
from benchmarks.stage import Servers, servers, wait_until
from db.engine import connect_once
from db.migrate import migrate
from domain.pacing import DEFAULTS
from services.seal import Seal

PAGE = ROOT / "docs" / "cloud.md"
PART = "figures"
GRAPH = Path("tests") / "cloud" / "graph.py"
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
APP_SECRET = "the app secret of the benchmarks"  # noqa: S105 - of a fake
LATENCY_MS = 100  # of an answer of Graph's
THREADS, MANY_THREADS = 16, 64
SETTLED_S = 5.0
LOWER = 70  # messages a second: with the burst rule still within Meta's limit
PACE = round(1 / DEFAULTS["cloud"].min_gap_s)
_numbers = count(1)


@dataclass(frozen=True)
class Plan:
    """Seconds of each measurement; ``fast`` is how many messages the one at 1,000 a second has."""

    steady_s: float
    strict_s: float
    webhooks_s: float
    fast: int


FULL = Plan(steady_s=120, strict_s=30, webhooks_s=60, fast=20_000)
QUICK = Plan(steady_s=15, strict_s=10, webhooks_s=15, fast=3_000)


@dataclass(frozen=True)
class Stage:
    """All runs, and one number can send; ``graph`` is where the fake is served."""

    fleet: Fleet
    graph: str
    graph_pid: int
    servers: Servers

    def parts(self) -> dict[str, int]:
        ours = {name: process.pid for name, process in self.fleet.processes.items()}
        return {**ours, "Graph": self.graph_pid, "postgres": self.servers.postgres.pid, "redis": self.servers.redis.pid}

    def read(self) -> machine.Reading:
        return machine.read(self.parts())

    def arrivals(self) -> list[float]:
        """When each message was taken, by the monotonic clock, in order."""
        found: dict[str, list[float]] = requests.get(f"{self.graph}/_arrivals", timeout=60).json()
        return sorted(at for of_number in found.values() for at in of_number)

    def launch(self, people: int) -> None:
        """Free text to people who have all just written to the number."""
        to = phones(people)
        with self.fleet.engine.begin() as db:
            db.execute(
                text(
                    "INSERT INTO conversations (device_id, phone, last_inbound_at)"
                    " SELECT d.id, p.phone, clock_timestamp() FROM devices d, unnest(CAST(:phones AS text[])) AS p (phone)"
                ),
                {"phones": to},
            )
            launch_to(db, to)


@contextmanager
def stage(on: Servers, *, rate: int, threads: int, batch: int = 20) -> Iterator[Stage]:
    """One number at ``rate`` messages a second; ``batch``: statuses in one webhook at most."""
    client = redis.Redis.from_url(on.redis.url)
    client.flushall()
    with database(on.postgres.url, f"cloud_{next(_numbers)}") as url:
        migrate(connect_once(url, name="benchmarks"))
        fleet = Fleet(on.folder / url.rsplit("/", 1)[1], url, on.redis.url, worker_threads=threads)
        fleet.settings |= {"CLOUD_TOKEN_KEY": KEY, "CLOUD_APP_SECRET": APP_SECRET, "CLOUD_VERIFY_TOKEN": "a word"}
        command = [sys.executable, str(GRAPH), "--webhooks", f"{fleet.api_url}/webhooks/cloud", "--secret", APP_SECRET]
        command += ["--latency-ms", str(LATENCY_MS), "--batch", str(batch)]
        graph = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        try:
            assert graph.stdout is not None
            told = json.loads(graph.stdout.readline())
            fleet.settings["CLOUD_GRAPH_URL"] = told["url"]
            _add_number(fleet, told["numbers"][0], rate)
            fleet.start("api", "worker", "dispatcher")
            yield Stage(fleet, told["url"], graph.pid, on)
        finally:
            fleet.stop()
            graph.terminate()
            graph.wait(10)
            client.close()


def _add_number(fleet: Fleet, number: dict[str, Any], rate: int) -> None:
    with fleet.engine.begin() as db:
        workspace(db)
        (device_id,) = add_numbers(db, 1, gap_s=1 / rate, business_id=number["business_id"])
        sealed = Seal(KEY).seal(number["token"], number["id"])
        db.execute(text("UPDATE devices SET session = :session"), {"session": number["id"]})
        db.execute(
            text("UPDATE cloud_numbers SET sealed_token = :sealed WHERE device_id = :id"),
            {"sealed": sealed, "id": device_id},
        )


def steady(on: Servers, plan: Plan) -> Steady:
    """One number at Meta's usual limit."""
    with stage(on, rate=PACE, threads=THREADS) as set_up:
        set_up.launch(round(PACE * (plan.steady_s + 2 * SETTLED_S)))
        started = _under_way(set_up)
        time.sleep(plan.steady_s)
        usage, ended = between(started[1], set_up.read()), time.monotonic()
        time.sleep(1.0)  # what was begun has arrived
        found = Arrivals([at for at in set_up.arrivals() if started[0] <= at < ended], ended - started[0])
    return Steady(PACE, found, usage)


def strict(on: Servers, plan: Plan, rate: int) -> Strict:
    """The same where more than the limit in any second is refused. Nobody knows how Meta counts."""
    with stage(on, rate=rate, threads=THREADS) as set_up:
        limit = {"kwargs": {"per_second": PACE}}
        requests.post(f"{set_up.graph}/_control/limit", json=limit, timeout=10).raise_for_status()
        set_up.launch(round(PACE * (plan.strict_s + 2 * SETTLED_S)))
        started = _under_way(set_up)[0]
        time.sleep(plan.strict_s)
        ended = time.monotonic()
        found = Arrivals([at for at in set_up.arrivals() if started <= at < ended], ended - started)
        refused = set_up.fleet.one("SELECT count(*) FROM attempts WHERE error_code = 'throttled'")
    return Strict(rate, PACE, found, int(refused))


def fast(on: Servers, plan: Plan) -> Fast:
    """One number that Meta has raised to 1,000 a second, with threads to spare."""
    with stage(on, rate=1000, threads=MANY_THREADS) as set_up:
        set_up.launch(plan.fast)
        first = _under_way(set_up)
        wait_until(lambda: len(set_up.arrivals()) >= plan.fast * 0.9, "nearly all have arrived", every_s=1.0)
        usage, ended = between(first[1], set_up.read()), time.monotonic()
        found = Arrivals([at for at in set_up.arrivals() if first[0] <= at < ended], ended - first[0])
    return Fast(MANY_THREADS, found, usage)


def webhooks(on: Servers, plan: Plan) -> Webhooks:
    """300 webhooks a second while the number sends: the three that each message has, one status in each."""
    with stage(on, rate=100, threads=THREADS, batch=1) as set_up:
        set_up.launch(round(100 * (plan.webhooks_s + 2 * SETTLED_S)))
        started = _under_way(set_up)
        time.sleep(plan.webhooks_s)
        usage, ended = between(started[1], set_up.read()), time.monotonic()
        posts = requests.get(f"{set_up.graph}/_posts", timeout=60).json()
        seen = [(took_s, status) for at, took_s, status in posts if started[0] <= at < ended - 1]
        waits = set_up.fleet.one("SELECT count(*) FROM events WHERE applied_at IS NULL")
    took_ms = [took_s * 1000 for took_s, _ in seen]
    return Webhooks(
        rate=len(seen) / (ended - 1 - started[0]),
        p50_ms=percentile(took_ms, 50),
        p99_ms=percentile(took_ms, 99),
        worst_ms=max(took_ms),
        refused=sum(status != requests.codes.ok for _, status in seen),
        waiting=int(waits),
        usage=usage,
    )


def _under_way(set_up: Stage) -> tuple[float, machine.Reading]:
    wait_until(lambda: bool(set_up.arrivals()), "the first message has arrived", every_s=0.1)
    time.sleep(SETTLED_S)
    return time.monotonic(), set_up.read()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cloud", description="Measure the Cloud API.")
    parser.add_argument("--quick", action="store_true", help="smaller and shorter; docs/cloud.md stays as it is")
    quick = parser.parse_args().quick
    plan = QUICK if quick else FULL
    machine.use_two_cores()
    with servers() as on:
        found = Cloud(
            machine.describe(on.folder),
            steady(on, plan),
            [strict(on, plan, rate) for rate in (PACE, LOWER)],
            fast(on, plan),
            webhooks(on, plan),
        )
    lines = page(found)
    print("\n".join(lines))
    if not quick:
        put(PAGE, PART, lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
