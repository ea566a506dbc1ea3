"""Facts about a message may come in any order and any number of times: it ends in the same place, and never falls."""

from __future__ import annotations

from functools import reduce
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from domain.status import MESSAGE_MOVES, MessageStatus, Outcome, merge, raised

CERTAINTY = [
    MessageStatus.FAILED,
    MessageStatus.UNKNOWN,
    MessageStatus.SENT,
    MessageStatus.DELIVERED,
    MessageStatus.READ,
]

outcomes = st.sampled_from(list(Outcome))
statuses = st.sampled_from(list(MessageStatus))


@st.composite
def rearranged(draw: st.DrawFn) -> tuple[list[Outcome], list[Outcome]]:
    """Some facts, and the same ones in another order and with repetitions."""
    facts = draw(st.lists(outcomes, max_size=8))
    repeats = draw(st.lists(st.sampled_from(facts), max_size=8)) if facts else []
    return facts, draw(st.permutations(facts + repeats))


@given(outcomes, rearranged())
def test_what_is_known_of_an_attempt_depends_on_the_facts_alone(
    begun: Outcome, both: tuple[list[Outcome], list[Outcome]]
) -> None:
    facts, again = both
    assert reduce(merge, facts, begun) is reduce(merge, again, begun)


@given(outcomes, st.lists(outcomes))
def test_what_is_known_of_an_attempt_never_falls(known: Outcome, facts: list[Outcome]) -> None:
    order = list(Outcome)
    seen = [known]
    for fact in facts:
        seen.append(merge(seen[-1], fact))
    assert all(order.index(before) <= order.index(after) for before, after in pairwise(seen))
    assert all(order.index(seen[-1]) >= order.index(fact) for fact in facts)


@given(statuses, rearranged())
def test_where_a_message_stands_depends_on_the_facts_alone(
    status: MessageStatus, both: tuple[list[Outcome], list[Outcome]]
) -> None:
    facts, again = both
    assert reduce(raised, facts, status) is reduce(raised, again, status)


@given(statuses, st.lists(outcomes))
def test_a_message_makes_only_moves_of_the_table_and_never_falls(status: MessageStatus, facts: list[Outcome]) -> None:
    seen = [status]
    for fact in facts:
        seen.append(raised(seen[-1], fact))
    for before, after in pairwise(seen):
        assert after is before or after in MESSAGE_MOVES[before]
        assert after is not MessageStatus.QUEUED or before is MessageStatus.QUEUED
        if before in CERTAINTY:
            assert CERTAINTY.index(after) >= CERTAINTY.index(before)


@given(statuses, st.lists(outcomes), st.lists(outcomes))
def test_receipts_of_two_attempts_count_as_one_heap_of_facts(
    status: MessageStatus, of_the_first: list[Outcome], of_the_second: list[Outcome]
) -> None:
    one_by_one = reduce(raised, of_the_second, reduce(raised, of_the_first, status))
    surest = reduce(merge, [*of_the_first, *of_the_second], Outcome.BEGUN)
    assert raised(status, surest) is one_by_one
