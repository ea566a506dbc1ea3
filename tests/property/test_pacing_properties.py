from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from domain.pacing import Pace, draw, next_gap_ms

ranges = st.tuples(st.integers(0, 60_000), st.integers(0, 60_000)).map(lambda pair: (min(pair), max(pair)))


@given(ranges, st.booleans(), st.none() | ranges, st.integers())
def test_no_gap_is_below_the_minimum_nor_outside_its_range(
    own: tuple[int, int], jitter: bool, delay: tuple[int, int] | None, seed: int
) -> None:
    pace = Pace(*own, jitter=jitter)
    gap = next_gap_ms(pace, delay, Random(seed))
    least, most = delay or own
    extra = 300 if jitter else 0
    assert max(least, pace.min_gap_ms) <= gap <= max(most, pace.min_gap_ms) + extra
    assert gap == next_gap_ms(pace, delay, Random(seed))


@given(st.integers(300, 60_000), st.integers())
def test_jitter_is_on_top(gap: int, seed: int) -> None:
    assert gap + 100 <= next_gap_ms(Pace(gap, gap), None, Random(seed)) <= gap + 300


@given(st.integers())
def test_chance_stays_within_its_bounds(seed: int) -> None:
    chance = draw(Random(seed))
    assert 0 <= chance.fraction < 1
    assert 0.1 <= chance.jitter_s <= 0.3
