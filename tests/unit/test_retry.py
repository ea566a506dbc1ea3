from __future__ import annotations

from random import Random

import pytest

from domain.retry import delay_ms


@pytest.mark.parametrize(
    ("attempts_used", "least", "most"), [(1, 800, 1_200), (2, 2_400, 3_600), (3, 8_000, 12_000), (9, 8_000, 12_000)]
)
def test_back_off(attempts_used: int, least: int, most: int) -> None:
    delays = [delay_ms(attempts_used, 10, Random(seed)) for seed in range(500)]
    assert all(delay is not None and least <= delay <= most for delay in delays)
    assert len(set(delays)) > 100  # recipients who failed together do not come back together


def test_three_attempts_in_all() -> None:
    assert [delay_ms(used, 3, Random(1)) is None for used in (1, 2, 3, 4)] == [False, False, True, True]


def test_nothing_to_retry_before_the_first_attempt() -> None:
    with pytest.raises(ValueError, match="nothing to try again"):
        delay_ms(0, 3, Random(1))
