"""``python -m tests.chaos``: the long run and the figures of docs/reliability.md."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import figure_again
import figure_refill
import figure_stop
import longrun_table
from ground import end_in_good_order, own_folder
from longrun import Outcome, Plan, run

from benchmarks.machine import describe, use_two_cores
from benchmarks.page import RELIABILITY, put

SEEDS = range(1, 6)
PEOPLE = 10_000
KILLS = 200
QUEUED = 100_000
STOPS = 100


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Kill everything, and measure.")
    commands = parser.add_subparsers(dest="command", required=True)
    long = commands.add_parser("run", help="the long run")
    long.add_argument("--seed", type=_seed, help="replay one seed (default: five of them, and a new table)")
    long.add_argument("--people", type=int, default=PEOPLE)
    again = commands.add_parser("again", help="worker killed → its message is on its way again")
    again.add_argument("--kills", type=int, default=KILLS)
    again.add_argument("--at-once", type=int, default=40)
    refill = commands.add_parser("refill", help="Redis emptied → the dispatcher's hints are complete again")
    refill.add_argument("--devices", type=int, default=3000)
    refill.add_argument("--people", type=int, default=QUEUED)
    refill.add_argument("--times", type=int, default=5)
    stop = commands.add_parser("stop", help="SIGTERM under load")
    stop.add_argument("--times", type=int, default=STOPS)
    stop.add_argument("--seed", type=_seed, default=1)
    arguments = parser.parse_args()
    end_in_good_order()
    use_two_cores()
    try:
        if arguments.command == "run":
            return _long_run(arguments.seed, arguments.people)
        return _figure(arguments)
    except KeyboardInterrupt:
        tell("interrupted")
        return 130


def _figure(arguments: argparse.Namespace) -> int:
    """One figure, which goes into the page when it was measured at full size."""
    match arguments.command:
        case "again":
            part, full = figure_again.PART, arguments.kills >= KILLS
            with own_folder() as folder:
                lines = figure_again.lines(figure_again.measure(folder, arguments.kills, arguments.at_once, tell))
        case "refill":
            part, full = figure_refill.PART, arguments.people >= QUEUED
            lines = figure_refill.lines(
                figure_refill.measure(arguments.devices, arguments.people, arguments.times, tell)
            )
        case _:
            part, full = figure_stop.PART, arguments.times >= STOPS
            with own_folder() as folder:
                lines = figure_stop.lines(figure_stop.measure(folder, arguments.times, arguments.seed, tell))
    tell("\n".join(lines))
    if full:
        put(RELIABILITY, part, ["", *lines, ""])
    return 0


def _seed(text: str) -> int:
    if (seed := int(text)) < 1:
        raise ValueError
    return seed


def _long_run(seed: int | None, people: int) -> int:
    """Exit code 0 when every promise was kept. Runs of full size go into the page's table."""
    if seed is None and people == PEOPLE:
        with own_folder() as folder:
            longrun_table.begin(describe(folder))
    good = True
    for each in SEEDS if seed is None else [seed]:
        for receipts in (True, False):
            good &= _one_run(Plan(each, people, receipts=receipts))
    return 0 if good else 1


def _one_run(plan: Plan) -> bool:
    replay = f"make chaos SEED={plan.seed} PEOPLE={plan.people}"
    tell(f"seed {plan.seed}, {plan.people:,} people, receipts {'on' if plan.receipts else 'off'}; again: {replay}")
    try:
        with own_folder() as folder:
            outcome = run(plan, folder, lambda words: tell(f"  {words}"))
            tell(longrun_table.line(longrun_table.row(outcome)))
            if plan.people == PEOPLE:
                longrun_table.add(outcome)
            assert outcome.good, _examples(outcome)
    except AssertionError as error:
        tell("\n".join(["FAILED", str(error), *getattr(error, "__notes__", []), f"again: {replay}"]))
        return False
    return True


def _examples(outcome: Outcome) -> str:
    wrong = {name: items[:5] for name, items in outcome.verdict.wrong.items()}
    return f"{wrong}, unexplained: {sorted(outcome.unexplained)[:5]}, given up early: {outcome.given_up_early}"


def tell(words: str) -> None:
    print(words, flush=True)


if __name__ == "__main__":
    sys.exit(main())
