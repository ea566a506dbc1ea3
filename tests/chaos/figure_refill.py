"""Redis is emptied under a large campaign: how long until the dispatcher's hints are complete again?"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from people import launch_to, phones

from actors.due import KEY
from benchmarks.stage import Stage, servers, stage, wait_until
from db.queries import query

PART = "Redis emptied"
GAP_S = 60.0  # some 50 sends a second of 3,000 devices
LOOK_EVERY_S = 0.05


def measure(devices: int, people: int, times: int, tell: Callable[[str], None]) -> list[float]:
    """Seconds from FLUSHALL until every device with work has its token again; one for each time."""
    found: list[float] = []
    with servers() as of, stage(of, devices=devices, gap_s=(GAP_S, GAP_S), receipts=False, threads=16) as on:
        with on.fleet.engine.begin() as db:
            launch_to(db, phones(people))
        wait_until(lambda: len(_with_work(on) & _known(on)) == devices, "every device has work", every_s=0.5)
        for _ in range(times):
            on.redis.flushall()
            started = time.monotonic()
            wait_until(lambda: _with_work(on) <= _known(on), "every device has its token", every_s=LOOK_EVERY_S)
            found.append(time.monotonic() - started)
            tell(f"{len(_with_work(on)):,} devices with work, complete again after {found[-1]:.2f} s")
    return found


def _with_work(on: Stage) -> set[int]:
    with on.fleet.engine.begin() as db:
        return {row.id for row in db.execute(query("ready_devices"))}


def _known(on: Stage) -> set[int]:
    """The devices that have a token in Redis."""
    tokens: list[Any] = on.redis.zrange(KEY, 0, -1)
    return {int(token.partition(b":")[0]) for token in tokens}


def lines(seconds: list[float]) -> list[str]:
    return [f"{len(seconds)} times: **{min(seconds):.1f} to {max(seconds):.1f} s**."]
