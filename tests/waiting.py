"""Tests wait for a condition with a deadline, never for a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")


def until(condition: Callable[[], Answer], what: str, within_s: float = 30.0, every_s: float = 0.02) -> Answer:
    """Ask until the answer is true, and return it; fail, saying what was waited for, when the deadline has passed."""
    pause = threading.Event()
    deadline = time.monotonic() + within_s
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        pause.wait(every_s)
    return answer
