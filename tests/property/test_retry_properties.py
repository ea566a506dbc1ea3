from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from domain.retry import delay_ms


@given(st.integers(1, 20), st.integers(1, 20), st.integers())
def test_there_is_a_delay_exactly_while_attempts_are_left(used: int, allowed: int, seed: int) -> None:
    delay = delay_ms(used, allowed, Random(seed))
    assert (delay is None) == (used >= allowed)
    assert delay is None or 800 <= delay <= 12_000


@given(st.integers(1, 2), st.integers(), st.integers())
def test_jitter_never_makes_a_later_attempt_wait_less(used: int, seed: int, other: int) -> None:
    sooner, later = delay_ms(used, 4, Random(seed)), delay_ms(used + 1, 4, Random(other))
    assert sooner is not None
    assert later is not None
    assert sooner < later
