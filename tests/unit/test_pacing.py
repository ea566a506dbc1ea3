from __future__ import annotations

from random import Random

import pytest

from domain.pacing import DEFAULTS, Pace, next_gap_ms


def gaps(pace: Pace, campaign_delay: tuple[int, int] | None = None) -> list[int]:
    rng = Random(7)
    return [next_gap_ms(pace, campaign_delay, rng) for _ in range(2_000)]


def test_the_defaults_of_each_provider() -> None:
    simulator, baileys, cloud = (DEFAULTS[provider] for provider in ("simulator", "baileys", "cloud"))
    assert (min(gaps(simulator.pace)), max(gaps(simulator.pace))) == (600, 800)
    assert 5_100 <= min(gaps(baileys.pace)) < 5_500
    assert 14_700 < max(gaps(baileys.pace)) <= 15_300
    assert set(gaps(cloud.pace)) == {13}  # 80 a second and no more
    assert (simulator.daily_cap, baileys.daily_cap, cloud.daily_cap) == (None, 200, None)
    assert (simulator.in_flight, baileys.in_flight, cloud.in_flight) == (1, 1, 20)


def test_a_gap_of_nothing_stays_nothing() -> None:
    assert set(gaps(Pace(0, 0))) == {0}
    assert set(gaps(Pace(299, 299))) == {299}


def test_jitter_can_be_off() -> None:
    assert set(gaps(Pace(500, 500, jitter=False))) == {500}
    assert min(gaps(DEFAULTS["cloud"].pace, (5_000, 15_000))) >= 5_000
    assert max(gaps(DEFAULTS["cloud"].pace, (5_000, 15_000))) <= 15_000


def test_a_campaign_slows_a_device_down_but_never_up() -> None:
    slow = gaps(Pace(500, 500), (10_000, 30_000))
    assert 10_100 <= min(slow) < 10_700
    assert 29_300 < max(slow) <= 30_300
    assert min(gaps(Pace(5_000, 15_000), (0, 1_000))) >= 5_000


@pytest.mark.parametrize("wrong", [(-1, 5), (5, 4)])
def test_a_range_must_make_sense(wrong: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="a gap of"):
        Pace(*wrong)
    with pytest.raises(ValueError, match="a gap of"):
        next_gap_ms(Pace(0, 0), wrong, Random(1))
