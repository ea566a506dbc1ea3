"""A worker process that is told to stop finishes what it has in hand, however often it is told."""

from __future__ import annotations

import signal
from types import FrameType


def hear_once() -> None:
    """Hear the first SIGTERM only. A platform tells every process, and our master then tells its children once more:
    Dramatiq takes the second for the wish to end at once, in the middle of sends."""
    stop = signal.getsignal(signal.SIGTERM)
    if not callable(stop):  # no worker process of Dramatiq's: whoever loads us ends as he is used to
        return

    def heard(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)
        stop(number, frame)

    signal.signal(signal.SIGTERM, heard)
