"""``python -m benchmarks.against COMMIT``: what this tree sends a second, against an earlier commit, in one run.

Each tree is measured by its own code, in processes of its own, one after the other in turns (A B A B A B): the machine's
moods fall on both.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from benchmarks import ROOT
from benchmarks.page import RELIABILITY, put

PART = "the cost of the guards"
DEVICES, PEOPLE = 3_000, 30_000  # as in docs/benchmarks.md

# Run in a tree, with that tree's own modules.
_MEASURE = """
import json, sys
from benchmarks import machine, saturated
from benchmarks.stage import servers
machine.use_two_cores()
devices, people = map(int, sys.argv[1:])
with servers() as on:
    result = saturated.measure(on, saturated.Plan(devices, people, 5.0), receipts=False)
print(json.dumps({"rate": result.people / result.took_s, "others": result.usage.others}))
"""


@dataclass(frozen=True)
class Measured:
    """``rate``: messages a second, from the launch's commit until the last is recorded; ``others``: cores that others used
    meanwhile."""

    rate: float
    others: float


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.against", description="Compare with an earlier commit.")
    parser.add_argument("commit")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--devices", type=int, default=DEVICES)
    parser.add_argument("--people", type=int, default=PEOPLE)
    arguments = parser.parse_args()
    now: list[Measured] = []
    before: list[Measured] = []
    with tempfile.TemporaryDirectory(prefix="fanfare-against-") as folder:
        tree = _tree_of(arguments.commit, Path(folder))
        for _ in range(arguments.rounds):
            for name, place, found in (("before", tree, before), ("now", ROOT, now)):
                found.append(_measure(place, arguments.devices, arguments.people))
                print(f"{name:7} {found[-1].rate:6.0f} messages/s, others {found[-1].others:.2f} cores", flush=True)
    told = lines(arguments.commit, before, now)
    print("\n".join(told))
    if arguments.people >= PEOPLE:
        put(RELIABILITY, PART, ["", *told, ""])
    return 0


def _tree_of(commit: str, folder: Path) -> Path:
    """The files of a commit, without touching the repository."""
    packed = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=BytesIO(packed)) as files:
        files.extractall(folder, filter="data")
    return folder


def _measure(tree: Path, devices: int, people: int) -> Measured:
    # Nothing of this tree may be found from the other.
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    said = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(devices), str(people)],
        cwd=tree,
        env=env,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    return Measured(**json.loads(said.splitlines()[-1]))


def lines(commit: str, before: list[Measured], now: list[Measured]) -> list[str]:
    """The medians and their ratio, and every figure behind them."""
    ratio = statistics.median(one.rate for one in now) / statistics.median(one.rate for one in before)
    noise = [one.others for one in (*before, *now)]
    return [
        f"Now {_spread(now)} messages/s, at {commit} {_spread(before)}: **{ratio:.2f}** of it. Others used"
        f" {min(noise):.2f} to {max(noise):.2f} cores meanwhile.",
    ]


def _spread(found: list[Measured]) -> str:
    rates = sorted(one.rate for one in found)
    return f"{rates[0]:.0f} / {statistics.median(rates):.0f} / {rates[-1]:.0f}"


if __name__ == "__main__":
    sys.exit(main())
