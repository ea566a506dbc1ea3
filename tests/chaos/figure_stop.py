"""SIGTERM under load, at any moment: does a process leave in time, and does it leave anything half done?"""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from ground import WatchedFleet, ground
from people import launch_to, phones
from staging import ready
from waiting import until

PART = "told to stop"
WORKERS = ("worker-1", "worker-2", "worker-3")
DISPATCHERS = ("dispatcher-1", "dispatcher-2")
DEVICES, GAP_S, LATENCY_MS = 60, 0.5, 300  # some 120 sends a second, 36 of them under way
LAUNCH = 5000
WITHIN_S = 25.0


@dataclass(frozen=True)
class Stop:
    """One process told to stop. ``all_of_it``: the signal went to each of its processes, as on Heroku, and not only to the
    first. ``left``: messages that it held and that nobody holds now."""

    kind: str
    all_of_it: bool
    code: int | None
    took_s: float
    left: int

    @property
    def clean(self) -> bool:
        return self.code == 0 and not self.left


def measure(folder: Path, times: int, seed: int, tell: Callable[[str], None]) -> list[Stop]:
    """A worker and the leading dispatcher, so many times each."""
    rng = Random(f"stops of {seed}")
    found: list[Stop] = []
    with ground(folder, simulator_receipts="false", simulator_latency_ms=LATENCY_MS) as on:
        fleet = on.fleet
        ready(fleet, DEVICES, gap_s=GAP_S)
        fleet.start(*WORKERS, *DISPATCHERS)
        for number in range(times):
            _load(fleet, number)
            until(lambda: _up(fleet), "all are there and one leads", 60)
            threading.Event().wait(rng.random())
            all_of_it = rng.random() < 0.5
            for name in (rng.choice(WORKERS), until(lambda: _leaders(fleet), "one leads")[0]):
                found.append(_stop(fleet, name, all_of_it))
                tell(f"{name}: {found[-1]}")
                fleet.start(name)
    return found


def _load(fleet: WatchedFleet, number: int) -> None:
    """Never too little to send."""
    if not number or fleet.one("SELECT count(*) FROM messages WHERE status = 'queued'") < LAUNCH:
        with fleet.engine.begin() as db:
            launch_to(db, phones(2 * LAUNCH), message=f"Hello {number}")


def _up(fleet: WatchedFleet) -> bool:
    there = {row.id for row in fleet.rows("SELECT id FROM processes")}
    return bool(_leaders(fleet)) and all(fleet.ids(name) & there for name in (*WORKERS, *DISPATCHERS))


def _leaders(fleet: WatchedFleet) -> list[str]:
    leads = {row.id for row in fleet.rows("SELECT id FROM processes WHERE leads")}
    return [name for name in DISPATCHERS if fleet.ids(name) & leads]


def _stop(fleet: WatchedFleet, name: str, all_of_it: bool) -> Stop:
    ids = fleet.ids(name)
    process = fleet.processes[name]
    started = time.monotonic()
    if all_of_it:
        fleet.signal(name, signal.SIGTERM)
    else:
        process.send_signal(signal.SIGTERM)
    try:
        code: int | None = process.wait(WITHIN_S)
    except subprocess.TimeoutExpired:
        code = None
    took_s = time.monotonic() - started
    left = fleet.one(
        "SELECT count(*) FROM messages WHERE status = 'processing' AND processing_worker_id = ANY(:ids)", ids=list(ids)
    )
    fleet.kill(name)
    return Stop(name.partition("-")[0], all_of_it, code, took_s, left)


def lines(stops: list[Stop]) -> list[str]:
    return [
        f"- {kind}: **{sum(stop.clean for stop in each)} of {len(each)}** clean, the slowest after"
        f" {max(stop.took_s for stop in each):.1f} s"
        for kind in ("worker", "dispatcher")
        if (each := [stop for stop in stops if stop.kind == kind])
    ]
