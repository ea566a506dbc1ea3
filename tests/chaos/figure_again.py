"""How long after its worker has died is a message on its way again, with the default settings?"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from fleet import Fleet
from ground import WatchedFleet, ground
from people import launch_to, phones
from staging import ready
from waiting import until

from benchmarks.sends import percentile

PART = "on its way again"
LIVING = ("worker-1", "worker-2")
GAP_S = 5.0  # so that there is always something to begin, however long it takes
PATIENCE_S = 180.0

# What was lost with a worker, and when it was begun again: seconds, None as long as it was not.
_AGAIN = """
SELECT extract(epoch FROM second.begun_at - first.begun_at)::float8 AS seconds
FROM attempts first LEFT JOIN attempts second ON second.message_id = first.message_id AND second.number = 2
WHERE first.number = 1 AND first.worker_id <> ALL(:living)
"""


def measure(folder: Path, kills: int, at_once: int, tell: Callable[[str], None]) -> list[float]:
    """Seconds from the first begin of a message, at which its worker dies, to the second; one for each kill."""
    with ground(folder, simulator_receipts="false") as on:
        fleet = on.fleet
        ready(fleet, 2 * at_once, gap_s=GAP_S)
        fleet.start(*LIVING, "dispatcher")
        with fleet.engine.begin() as db:
            launch_to(db, phones(40 * kills + 1000))
        found: list[float] = []
        while len(found) < kills:
            count = min(at_once, kills - len(found))
            _die(fleet, count)
            found = until(partial(_again, fleet, len(found) + count), "all is begun again", PATIENCE_S, 0.5)
            tell(f"{len(found)} kills, the slowest {max(found):.1f} s")
    return found


def _die(fleet: Fleet, count: int) -> None:
    """So many workers, each of which dies with the first message that it begins."""
    doomed = [f"worker-doomed-{number}" for number in range(count)]
    fleet.start(*doomed, failpoint="after_begin:kill", worker_threads=1)
    until(lambda: all(fleet.processes[name].poll() is not None for name in doomed), "all have died", PATIENCE_S)
    for name in doomed:
        fleet.kill(name)


def _again(fleet: WatchedFleet, count: int) -> list[float]:
    """The seconds of all that was lost so far, once they are known of each; until then none."""
    living = [id for name in LIVING for id in fleet.ids(name)]
    seconds = [row.seconds for row in fleet.rows(_AGAIN, living=living)]
    assert len(seconds) == count, f"{count} workers died, and {len(seconds)} messages were lost"
    return [] if None in seconds else seconds


def lines(seconds: list[float]) -> list[str]:
    return [
        f"{len(seconds)} kills: p50 {percentile(seconds, 50):.1f} s, **p99 {percentile(seconds, 99):.1f} s**,"
        f" slowest {max(seconds):.1f} s.",
    ]
