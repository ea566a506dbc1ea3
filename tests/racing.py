"""Two transactions at the same moment, the first of which has done its work and not committed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection, Engine, text
from waiting import until

from db.engine import run

Answer = TypeVar("Answer")


def during(
    engine: Engine, first: Callable[[Connection], object], second: Callable[[Connection], Answer]
) -> tuple[Answer, bool]:
    """What ``second`` answers when it comes between the work of ``first`` and its commit, and whether it waited for that."""
    with ThreadPoolExecutor(1) as pool, engine.connect() as db:
        with db.begin():
            first(db)
            other = pool.submit(run, engine, second)
            until(lambda: other.done() or _somebody_waits(engine), "the other is done or waits")
            waited = not other.done()
        return other.result(timeout=10), waited


def _somebody_waits(engine: Engine) -> bool:
    with engine.begin() as db:
        return bool(db.execute(text("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)")).scalar_one())
