from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from domain.pacing import JITTER_S, draw, speed


@given(st.integers())
def test_a_draw_stays_in_its_range_and_comes_from_its_seed(seed: int) -> None:
    drawn = draw(Random(seed))
    assert 0 <= drawn.fraction < 1
    assert JITTER_S[0] <= drawn.jitter_s <= JITTER_S[1]
    assert drawn == draw(Random(seed))


@given(st.floats(0, 1000), st.floats(0, 1000))
def test_a_slower_device_is_never_faster(least: float, more: float) -> None:
    assert 0 < speed(least, least + more + 1) <= speed(least, least)
