"""The few figures that say whether sending goes well (R46); API and console show the same ones."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from db.queries import query

KEPT_S = 10.0


@dataclass(frozen=True, slots=True)
class Figures:
    """``pending_count`` waits or is being sent at ``as_of``; the others are of the five minutes before it."""

    pending_count: int
    sent_last_5m: int
    failed_last_5m: int
    as_of: datetime


def read(db: Connection, workspace_id: int) -> Figures:
    """Count now."""
    return Figures(**db.execute(query("metrics"), {"workspace_id": workspace_id}).mappings().one())


class Recent:
    """Figures that are at most ten seconds old; of callers at the same time one counts and the others wait for it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._figures: Figures | None = None
        self._until = 0.0

    def get(self, count: Callable[[], Figures]) -> Figures:
        with self._lock:
            if self._figures is None or self._clock() >= self._until:
                self._figures = count()
                self._until = self._clock() + KEPT_S
            return self._figures
