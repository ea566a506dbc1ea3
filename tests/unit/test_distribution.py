from __future__ import annotations

from collections import Counter

import pytest

from domain.distribution import Share, deal, deal_apart


def test_equal_devices_take_turns() -> None:
    assert deal(7, [Share(30, 1), Share(10, 1), Share(20, 1)]) == [30, 10, 20, 30, 10, 20, 30]


def test_a_device_twice_as_fast_gets_twice_as_many_and_not_all_at_once() -> None:
    dealt = deal(9, [Share(1, 2.0), Share(2, 1.0)])
    assert Counter(dealt) == {1: 6, 2: 3}
    assert all(set(dealt[place : place + 3]) == {1, 2} for place in range(0, 9, 3))


def test_one_device_gets_everybody() -> None:
    assert deal(100_000, [Share(5, 0.1)]) == [5] * 100_000


def test_a_large_campaign_over_a_large_fleet() -> None:
    fleet = [Share(number, (0.1, 2.0, 1 / 3)[number % 3]) for number in range(3_000)]
    counts = Counter(deal(100_000, fleet))
    total = sum(share.weight for share in fleet)
    assert all(abs(counts[share.device_id] - 100_000 * share.weight / total) < 1 for share in fleet)


def test_nobody_to_write_to_needs_no_device() -> None:
    assert deal(0, []) == []


def test_people_without_a_device_are_an_error() -> None:
    with pytest.raises(ValueError, match="3 recipients and no device"):
        deal(3, [])


@pytest.mark.parametrize("weight", [0, -1, float("inf"), float("nan")])
def test_a_weight_must_be_a_speed(weight: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        deal(3, [Share(1, weight)])


def test_who_may_go_anywhere_fills_up_what_the_others_left() -> None:
    fast, slow = Share(1, 3.0), Share(2, 1.0)
    only_fast, anywhere = deal_apart([(6, [fast]), (6, [fast, slow])])
    assert only_fast == [1] * 6
    assert Counter([*only_fast, *anywhere]) == {1: 9, 2: 3}


def test_the_order_of_the_groups_does_not_count() -> None:
    first, second = Share(1, 1.0), Share(2, 1.0)
    anywhere, only_first = deal_apart([(4, [first, second]), (4, [first])])
    assert (anywhere, only_first) == ([2] * 4, [1] * 4)


def test_a_group_needs_a_device_unless_nobody_is_in_it() -> None:
    assert deal_apart([(0, [])]) == [[]]
    with pytest.raises(ValueError, match="no device"):
        deal_apart([(1, [])])
    with pytest.raises(ValueError, match="weight"):
        deal_apart([(1, [Share(1, 0.0)])])
