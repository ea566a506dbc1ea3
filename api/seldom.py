"""Log lines that strangers can cause, as often as they like."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

log = logging.getLogger("fanfare.api")

MINUTE_S: Final = 60.0


class Seldom:
    """Warns with a tag, at most ``lines`` times a minute, and says at its end how many more there were. Use it from one
    event loop."""

    def __init__(self, tag: str, *, lines: int, minute_s: float = MINUTE_S) -> None:
        self._tag = tag
        self._lines = lines
        self._minute_s = minute_s
        self._count = 0  # in this minute

    def warn(self, words: str) -> None:
        if not self._count:
            asyncio.get_running_loop().call_later(self._minute_s, self._over)
        self._count += 1
        if self._count <= self._lines:
            log.warning("[%s] %s", self._tag, words)

    def _over(self) -> None:
        more, self._count = self._count - self._lines, 0
        if more > 0:
            log.warning("[%s] and %d more such lines within %g s", self._tag, more, self._minute_s)
