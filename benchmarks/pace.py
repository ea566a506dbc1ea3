"""A large fleet at its pace: is what is due sent, how late, and for how many cores?"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import pairwise

from people import launch_to, phones

from benchmarks import sends
from benchmarks.machine import Usage, between
from benchmarks.stage import Servers, stage

DELAY_S = (5.0, 30.0)  # the campaign's range of pauses
THREADS = 16  # of the one worker process: the default
RECORDS_S = 2.0  # what has begun at the end of the last window is recorded by then


@dataclass(frozen=True)
class Plan:
    """How large, and what is looked at: after ``settle_s`` seconds, ``windows`` windows of ``window_s`` each."""

    devices: int
    people: int
    settle_s: float
    windows: int
    window_s: float


@dataclass(frozen=True)
class PaceResult:
    """One row of the table: windows one after the other, and cores in use in each."""

    receipts: bool
    windows: list[sends.Window]
    whole: sends.Window
    usage: list[Usage]


def measure(servers: Servers, plan: Plan, *, receipts: bool) -> PaceResult:
    """Launch to everybody, let the first instant pass, and watch."""
    with stage(servers, devices=plan.devices, gap_s=(0.0, 0.0), receipts=receipts, threads=THREADS) as on:
        with on.fleet.engine.begin() as db:
            launch_to(db, phones(plan.people), min_delay_s=DELAY_S[0], max_delay_s=DELAY_S[1])
        time.sleep(plan.settle_s)
        marks = [(on.now_s(), on.read())]
        for _ in range(plan.windows):
            time.sleep(plan.window_s)
            marks.append((on.now_s(), on.read()))
        time.sleep(RECORDS_S)
        seen = sends.of_fleet(on.fleet)
    pairs = list(pairwise(marks))
    return PaceResult(
        receipts=receipts,
        windows=[sends.window(seen, first[0], last[0]) for first, last in pairs],
        whole=sends.window(seen, marks[0][0], marks[-1][0]),
        usage=[between(first[1], last[1]) for first, last in pairs],
    )
