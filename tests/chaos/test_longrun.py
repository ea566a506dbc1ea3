"""The long run in small: everything dies once, workers all the time, and a fifth of all sends meets a fault."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from longrun import Plan, run
from waiting import until

from local.processes import alive
from settings import ROOT

SEED = 1
SERVERS = ("bridge.simulator", "dramatiq", "actors.dispatcher", "redis-server", "bin/postgres")


def test_a_seed_decides_the_whole_plan() -> None:
    plan = Plan(SEED, people=10_000)
    assert plan.faults == Plan(SEED, people=500).faults
    assert plan.faults != Plan(SEED + 1, people=10_000).faults
    assert sorted(what for _, what in plan.faults if "postgres" not in what) == [
        *["kill_and_empty_redis"] * 3,
        *["kill_bridge"] * 3,
    ]
    assert len(plan.faults) == 9


@pytest.mark.parametrize("receipts", [True, False], ids=["receipts", "no receipts"])
def test_everything_dies_under_a_campaign(tmp_path: Path, receipts: bool) -> None:
    outcome = run(Plan(SEED, people=150, each=1, receipts=receipts), tmp_path, print)
    assert outcome.verdict.wrong == {}
    # Nothing is in doubt but what the bridge itself cannot tell, and none of that was begun again.
    assert outcome.unexplained == set()
    assert outcome.given_up_early == 0
    # It was a storm: otherwise this would show nothing.
    assert outcome.kills >= 3
    assert outcome.faults >= 150 * sum(outcome.plan.shares.values()) / 2


def test_a_run_that_is_interrupted_leaves_nothing_behind(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.chaos", "run", "--seed", str(SEED), "--people", "60"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
    )
    try:
        started = until(lambda: _with_servers(process.pid), "its servers run", within_s=60, every_s=0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 130
    finally:
        process.kill()
        process.wait()
    until(lambda: not any(map(alive, started)), "all that it started has ended")
    assert list(tmp_path.iterdir()) == []


def _with_servers(pid: int) -> list[int]:
    """Everything below a process, once a server of each kind is among it."""
    found = [pid]
    try:
        for each in found:
            for task in Path(f"/proc/{each}/task").glob("*/children"):
                found += map(int, task.read_text().split())
        commands = "".join(Path(f"/proc/{each}/cmdline").read_text() for each in found)
    except (FileNotFoundError, ProcessLookupError):  # one has ended meanwhile
        return []
    return found[1:] if all(server in commands for server in SERVERS) else []
