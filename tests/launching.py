"""A process that launches the same broadcast from several threads at once: ``launching.py URL THREADS``.

It says "ready", waits for a line so that several processes start together, and prints the campaign id of each launch.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from people import launch_to, phones

from db.engine import connect, run


def main(url: str, threads: int) -> None:
    engine = connect(url, threads=threads, name="launching")
    together = Barrier(threads)

    def one(_number: int) -> int:
        together.wait(30)
        return run(engine, lambda db: launch_to(db, phones(50))).campaign_id

    with ThreadPoolExecutor(threads) as pool:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        for campaign_id in pool.map(one, range(threads)):
            sys.stdout.write(f"{campaign_id}\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
