"""The time between two messages of one device (R11). All times in seconds.

What is random is drawn here; the statement that begins a message (db/sql/begin.sql) makes the gap of it, since only
there is it known which campaign's pace applies, and moves the device's next_send_at by it in the same step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from types import MappingProxyType
from typing import Final

JITTER_S: Final = (0.1, 0.3)
# A gap shorter than the jitter itself would be multiplied by it: such paces are set for speed, and 0 stays 0.
JITTER_FROM_S: Final = JITTER_S[1]
# What a device with several sends in flight may make good of the time that it has missed, so that each delay on the way does
# not lower its rate. In any second it then sends at most that much more than its rate.
CATCH_UP_S: Final = 0.2
_FASTEST: Final = 1000.0  # messages a second taken for a device without any gap


@dataclass(frozen=True, slots=True)
class ProviderDefaults:
    """What a new device of a provider gets: its gap, messages a day (None: no cap), sends in flight at once, and the least
    time between two messages to the same person (None: its gap)."""

    min_gap_s: float
    max_gap_s: float
    daily_cap: int | None
    in_flight: int
    pair_gap_s: float | None = None


DEFAULTS: Final[Mapping[str, ProviderDefaults]] = MappingProxyType(
    {
        "simulator": ProviderDefaults(0.5, 0.5, daily_cap=None, in_flight=1),
        # More than this burns real numbers
        "baileys": ProviderDefaults(5.0, 15.0, daily_cap=200, in_flight=1),
        # Meta's limits: 80 a second, and one to the same person in six
        "cloud": ProviderDefaults(0.0125, 0.0125, daily_cap=None, in_flight=20, pair_gap_s=6.0),
    }
)


@dataclass(frozen=True, slots=True)
class Draw:
    """What chance says of one gap: ``fraction`` (0 to 1) is its place between the least and the longest pause,
    ``jitter_s`` comes on top."""

    fraction: float
    jitter_s: float


def draw(rng: Random) -> Draw:
    """Draw one gap."""
    return Draw(rng.random(), rng.uniform(*JITTER_S))


def speed(min_gap_s: float, max_gap_s: float) -> float:
    """Messages a second of a device with this range of gaps; its jitter is left out."""
    mean_s = (min_gap_s + max_gap_s) / 2
    return min(_FASTEST, 1 / mean_s) if mean_s else _FASTEST


def mean_gap_s(
    min_gap_s: float, max_gap_s: float, min_delay_s: float | None = None, max_delay_s: float | None = None
) -> float:
    """What the gaps that ``begin`` makes are on average: by the device's range or its campaign's delays, with jitter."""
    least_s = max(min_gap_s, min_delay_s or 0.0)
    most_s = max(least_s, max_gap_s if max_delay_s is None else max_delay_s)
    jitter_s = sum(JITTER_S) / 2 if least_s >= JITTER_FROM_S else 0.0
    return max(1 / _FASTEST, (least_s + most_s) / 2 + jitter_s)
