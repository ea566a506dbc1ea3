"""When a message that is known not to have been sent is tried again (R9)."""

from __future__ import annotations

from random import Random
from typing import Final

BACKOFF_MS: Final = (1_000, 3_000, 10_000)
JITTER_SHARE: Final = 0.2


def delay_ms(attempts_used: int, max_attempts: int, rng: Random) -> int | None:
    """Milliseconds to the next attempt, or None when all are used up.

    1 s after the first attempt, 3 s after the second, 10 s after each later one, each ± 20 % so that recipients who
    failed together do not come back together. Raises ValueError when no attempt was made yet.
    """
    if attempts_used < 1:
        raise ValueError(f"{attempts_used} attempts used: there is nothing to try again")
    if attempts_used >= max_attempts:
        return None
    backoff = BACKOFF_MS[min(attempts_used, len(BACKOFF_MS)) - 1]
    return round(backoff * rng.uniform(1 - JITTER_SHARE, 1 + JITTER_SHARE))
