from __future__ import annotations

import pytest

from domain.pacing import DEFAULTS, speed


def test_the_defaults_of_each_provider() -> None:
    simulator, baileys, cloud = (DEFAULTS[provider] for provider in ("simulator", "baileys", "cloud"))
    assert (simulator.min_gap_s, simulator.max_gap_s) == (0.5, 0.5)
    assert (baileys.min_gap_s, baileys.max_gap_s) == (5, 15)
    assert cloud.min_gap_s == 1 / 80
    assert (simulator.daily_cap, baileys.daily_cap, cloud.daily_cap) == (None, 200, None)
    assert (simulator.in_flight, baileys.in_flight, cloud.in_flight) == (1, 1, 20)


@pytest.mark.parametrize(
    ("least", "most", "expected"), [(0.5, 0.5, 2.0), (5, 15, 0.1), (0, 0, 1000.0), (0, 0.0001, 1000.0)]
)
def test_speed(least: float, most: float, expected: float) -> None:
    assert speed(least, most) == pytest.approx(expected)
