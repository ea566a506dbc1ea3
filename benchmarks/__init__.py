"""Speed and memory of the whole product, measured on this machine: ``python -m benchmarks`` (docs/benchmarks.md).

Real servers with fsync on, the real processes, two cores. Nothing here is a test: figures are shown, never asserted.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [
    str(ROOT / "tests" / folder) for folder in ("", "integration", "browser", "contract", "baileys")
]  # its way of starting the fleet is ours
