"""The long run's table in docs/reliability.md, one row for each seed with receipts and without; its sum in README.md."""

from __future__ import annotations

from longrun import Outcome
from oracle import REACHED

from benchmarks.page import README, RELIABILITY, get, put

PART, PROOF = "the long run", "the proof"
HEAD = (
    *("seed", "people", "receipts", "workers killed", "servers killed", "bridge faults", "sent", "failed", "unknown"),
    *("stuck", "lost", "doubled", "seconds"),
)
RUN = 3  # seed, people, receipts: the cells that say which run it was


def row(outcome: Outcome) -> list[str]:
    """One run. What is wrong besides *lost* and *doubled* (figures that do not add up) is named in the last cell."""
    statuses, wrong = outcome.verdict.statuses, outcome.verdict.wrong
    failed = ", ".join(f"{count} {code}" for code, count in sorted(outcome.failed.items()))
    others = [name for name in wrong if name not in ("lost", "doubled")]
    others += ["unknown without a reason"] if outcome.unexplained else []
    others += ["given up early"] if outcome.given_up_early else []
    return [
        str(outcome.plan.seed),
        f"{outcome.plan.people:,}",
        "on" if outcome.plan.receipts else "off",
        str(outcome.kills),
        str(len(outcome.plan.faults)),
        f"{outcome.faults:,}",
        f"{sum(statuses[status] for status in REACHED):,}",
        failed or "0",
        str(statuses["unknown"]),
        str(outcome.stuck),
        str(len(wrong.get("lost", []))),
        str(len(wrong.get("doubled", []))),
        "; ".join([f"{outcome.took_s:.0f}", *others]),
    ]


def begin(machine: str) -> None:
    """An empty table, of runs on this machine."""
    put(RELIABILITY, PART, ["", f"Machine: {machine}.", "", line(HEAD), "|---" * len(HEAD) + "|", ""])


def add(outcome: Outcome) -> None:
    """One more row, in place of that of the same run; and what all of them come to on the README's first screen."""
    new = row(outcome)
    *lines, last = [one for one in get(RELIABILITY, PART) if _cells(one)[:RUN] != new[:RUN]]
    put(RELIABILITY, PART, [*lines, line(new), last])
    runs = [cells for cells in map(_cells, [*lines, line(new)]) if cells and cells[0].isdigit()]
    lost, doubled = (sum(int(cells[HEAD.index(name)]) for cells in runs) for name in ("lost", "doubled"))
    put(
        README,
        PROOF,
        [f"Over {len(runs)} runs of {outcome.plan.people:,} people each: **lost {lost}, doubled {doubled}**."],
    )


def line(cells: tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(written: str) -> list[str]:
    """The cells of a row; none of a line that is none."""
    return [cell.strip() for cell in written.split("|")[1:-1]]
