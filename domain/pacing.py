"""The time between two messages of one device (R11). All times in milliseconds.

The statement that begins a message moves its device's due time by the gap; chance comes from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from types import MappingProxyType
from typing import Final


def _check_range(least: int, most: int) -> None:
    if not 0 <= least <= most:
        raise ValueError(f"a gap of {least} to {most} ms: the first must be 0 or more and not above the second")


@dataclass(frozen=True, slots=True)
class Pace:
    """A device's own gap: drawn between the two when the campaign asks for none, and never below ``min_gap_ms``."""

    min_gap_ms: int
    max_gap_ms: int
    jitter: bool = True

    def __post_init__(self) -> None:
        _check_range(self.min_gap_ms, self.max_gap_ms)


@dataclass(frozen=True, slots=True)
class ProviderDefaults:
    """What a new device of a provider gets: its pace, messages a day (None: no cap), sends in flight at once."""

    pace: Pace
    daily_cap: int | None
    in_flight: int


DEFAULTS: Final[Mapping[str, ProviderDefaults]] = MappingProxyType(
    {
        "simulator": ProviderDefaults(Pace(500, 500), daily_cap=None, in_flight=1),
        # More than this burns real numbers
        "baileys": ProviderDefaults(Pace(5_000, 15_000), daily_cap=200, in_flight=1),
        # 80 a second is Meta's limit; 12.5 ms rounded up, so that it is never passed
        "cloud": ProviderDefaults(Pace(13, 13, jitter=False), daily_cap=None, in_flight=20),
    }
)

JITTER_S: Final = (0.1, 0.3)
JITTER_FROM_S: Final = JITTER_S[1]  # a shorter gap was set for speed and would be multiplied: a gap of 0 stays 0


@dataclass(frozen=True, slots=True)
class Draw:
    """Chance's part in a gap: ``fraction`` (0 to 1) of the way from the least to the most, and ``jitter_s`` on top.

    Drawn before a message is begun, because only the statement that begins it knows which campaign's range applies.
    """

    fraction: float
    jitter_s: float


def draw(rng: Random) -> Draw:
    """What the worker hands to the statement that begins a message."""
    return Draw(rng.random(), rng.uniform(*JITTER_S))


def next_gap_ms(pace: Pace, campaign_delay: tuple[int, int] | None, rng: Random) -> int:
    """Milliseconds from the message that begins now to the next of the same device.

    ``campaign_delay`` is the campaign's own range (least, most), or None; what of it lies below the device's minimum is
    cut off. Jitter comes on top of a range that begins at JITTER_FROM_S or above. This is the rule that
    db/sql/begin.sql applies. Raises ValueError for a range that is negative or upside down.
    """
    least, most = campaign_delay or (pace.min_gap_ms, pace.max_gap_ms)
    _check_range(least, most)
    least, most = max(least, pace.min_gap_ms), max(most, pace.min_gap_ms)
    chance = draw(rng)
    gap = least + chance.fraction * (most - least)
    if pace.jitter and least >= JITTER_FROM_S * 1000:
        gap += chance.jitter_s * 1000
    return round(gap)
