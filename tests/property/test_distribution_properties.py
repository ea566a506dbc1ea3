from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from domain.distribution import Share, deal

weights = st.floats(0.001, 1_000) | st.sampled_from([0.1, 1.0, 2.0, 80.0])
fleets = st.lists(weights, min_size=1, max_size=12).map(lambda ws: [Share(10 + i, w) for i, w in enumerate(ws)])


@given(st.integers(0, 150), fleets)
def test_every_beginning_is_within_one_of_proportional(count: int, fleet: list[Share]) -> None:
    dealt = deal(count, fleet)
    assert len(dealt) == count
    total = sum(Fraction(share.weight) for share in fleet)
    got = dict.fromkeys((share.device_id for share in fleet), 0)
    for place, device_id in enumerate(dealt, start=1):
        got[device_id] += 1
        assert all(abs(got[share.device_id] - place * Fraction(share.weight) / total) < 1 for share in fleet)


@given(st.integers(0, 100), fleets)
def test_a_longer_campaign_begins_like_a_shorter_one(count: int, fleet: list[Share]) -> None:
    assert deal(count + 20, fleet)[:count] == deal(count, fleet)
