from __future__ import annotations

from collections import Counter
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from domain.distribution import Share, deal, deal_apart

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


@given(
    fleets.flatmap(
        lambda fleet: st.tuples(
            st.just(fleet),
            st.lists(st.tuples(st.integers(0, 60), st.sets(st.sampled_from(fleet), min_size=1)), max_size=6),
        )
    )
)
def test_of_several_groups_everybody_gets_one_of_their_devices(
    drawn: tuple[list[Share], list[tuple[int, set[Share]]]],
) -> None:
    fleet, chosen = drawn
    groups = [(count, sorted(those, key=fleet.index)) for count, those in chosen]
    dealt = deal_apart(groups)
    assert [len(device_ids) for device_ids in dealt] == [count for count, _ in groups]
    for device_ids, (_, those) in zip(dealt, groups, strict=True):
        assert set(device_ids) <= {share.device_id for share in those}
    assert deal_apart(groups) == dealt


@given(st.integers(0, 150), fleets)
def test_one_group_ends_on_all_its_devices_together(count: int, fleet: list[Share]) -> None:
    (dealt,) = deal_apart([(count, fleet)])
    load = Counter(dealt)
    done = [load[share.device_id] / share.weight for share in fleet]
    # One more for whoever is done last would make anybody done later than all are.
    assert all((load[share.device_id] + 1) / share.weight >= max(done) * (1 - 1e-9) for share in fleet)
