"""A fleet without a pace: how many messages a second go through, end to end, and what binds?"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from people import launch_to, phones

from benchmarks.machine import Usage, between
from benchmarks.stage import Servers, stage, wait_until

THREADS = 64  # of the one worker process: a send holds one for as long as the bridge takes
LOOK_EVERY_S = 2.0
STEADY = (0.1, 0.9)  # rate and cores are those between these shares of the campaign


@dataclass(frozen=True)
class Plan:
    """How large, in devices and people, and over how many seconds each rate is taken."""

    devices: int
    people: int
    window_s: float


@dataclass(frozen=True)
class SaturatedResult:
    """One row of the table. ``took_s`` is from the launch's commit until all is recorded, ``receipts_s`` until every
    message is read (None without receipts); ``rates`` are messages recorded a second, window by window."""

    receipts: bool
    people: int
    took_s: float
    receipts_s: float | None
    rates: list[float]
    usage: Usage


def measure(servers: Servers, plan: Plan, *, receipts: bool) -> SaturatedResult:
    """Launch to everybody at no pace, and watch until all of them are sent (and read)."""
    with stage(servers, devices=plan.devices, gap_s=(0.0, 0.0), receipts=receipts, threads=THREADS) as on:

        def share(statuses: str) -> float:
            found = on.fleet.one(f"SELECT count(*) FROM attempts WHERE outcome IN ({statuses})")  # noqa: S608 - ours
            return float(found) / plan.people

        sent = "'sent', 'delivered', 'read'"
        with on.fleet.engine.begin() as db:
            launch_to(db, phones(plan.people))
        launched_s = on.now_s()
        wait_until(lambda: share(sent) >= STEADY[0], "the campaign is under way", every_s=LOOK_EVERY_S)
        first = on.read()
        wait_until(lambda: share(sent) >= STEADY[1], "the campaign is nearly over", every_s=LOOK_EVERY_S)
        last = on.read()
        wait_until(lambda: share(sent) == 1.0, "all are sent", every_s=LOOK_EVERY_S)
        if receipts:
            wait_until(lambda: share("'read'") == 1.0, "all have read it", every_s=LOOK_EVERY_S)
        finished = [row.at_s for row in on.fleet.rows(_FINISHED)]
        read_s = on.fleet.one("SELECT extract(epoch FROM max(applied_at))::float8 FROM events") if receipts else None
    return SaturatedResult(
        receipts=receipts,
        people=plan.people,
        took_s=finished[-1] - launched_s,
        receipts_s=None if read_s is None else read_s - launched_s,
        rates=_rates(finished, plan.window_s),
        usage=between(first, last),
    )


_FINISHED = "SELECT extract(epoch FROM finished_at)::float8 AS at_s FROM attempts ORDER BY finished_at"


def _rates(finished_s: list[float], window_s: float) -> list[float]:
    """Messages a second in each whole window of the steady part."""
    start = finished_s[int(len(finished_s) * STEADY[0])]
    end = finished_s[int(len(finished_s) * STEADY[1])]
    windows = max(1, int((end - start) / window_s))
    edges = [start + number * window_s for number in range(windows + 1)]
    return [sum(low <= at < high for at in finished_s) / window_s for low, high in pairwise(edges)]
