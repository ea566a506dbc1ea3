"""``python -m benchmarks``: measure everything, print the page and write docs/benchmarks.md (about 15 minutes).

``--quick`` is for trying a change: smaller, about 4 minutes, and writes nothing.
"""

from __future__ import annotations

import argparse
import sys
import time

from benchmarks import ROOT, console, large_launch, machine, pace, saturated
from benchmarks.report import Report, markdown
from benchmarks.stage import servers

PAGE = ROOT / "docs" / "benchmarks.md"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure speed and memory.")
    parser.add_argument("--quick", action="store_true", help="smaller and shorter; docs/benchmarks.md stays as it is")
    quick = parser.parse_args().quick
    paced = pace.Plan(300, 3_000, 20, 3, 10.0) if quick else pace.Plan(3_000, 30_000, 30, 6, 15.0)
    full_speed = saturated.Plan(300, 5_000, 2.0) if quick else saturated.Plan(3_000, 30_000, 5.0)
    watched = console.Plan(10_000, 30, 2, 10.0, 1) if quick else console.Plan(100_000, 30, 6, 15.0, 5)
    machine.use_two_cores()
    with servers() as on:
        report = Report(
            machine=machine.describe(on.folder),
            pace_plan=paced,
            paced=[pace.measure(on, paced, receipts=_tell("at pace", receipts)) for receipts in (False, True)],
            saturated_plan=full_speed,
            saturated=[
                saturated.measure(on, full_speed, receipts=_tell("saturated", receipts)) for receipts in (False, True)
            ],
            launched=large_launch.measure(on, 10_000 if quick else 100_000),
            console=console.measure(on, watched),
        )
    page = markdown(report)
    print(page)
    if not quick:
        PAGE.write_text(page, encoding="utf-8")
    return 0


def _tell(what: str, receipts: bool) -> bool:
    """Say on standard error what is measured now; returns ``receipts``."""
    print(f"{time.strftime('%H:%M:%S')} {what}, receipts {'on' if receipts else 'off'} …", file=sys.stderr)
    return receipts


if __name__ == "__main__":
    sys.exit(main())
