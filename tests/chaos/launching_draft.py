"""A console's process that launches a draft: ``launching_draft.py URL DRAFT``.

It says "ready", waits for a line so that several start together, and prints the id of the campaign that it is told of.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]

from people import workspace
from sqlalchemy import Connection

from db.engine import connect, run
from services import repeats
from services.launch_draft import launch_draft
from services.repeats import Answer, Keyed


def main(url: str, draft_id: int) -> None:
    engine = connect(url, threads=1, name="console")

    def press(db: Connection) -> Answer:
        here = workspace(db)
        keyed = Keyed(here, f"console of {id(engine)}", "launch")
        return repeats.once(db, keyed, lambda: {"id": launch_draft(db, here, draft_id, who="console").campaign_id})

    with engine.connect():  # so that nobody comes late for having to connect
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
    sys.stdout.write(f"{run(engine, press)['id']}\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
