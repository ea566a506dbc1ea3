from __future__ import annotations

from itertools import product

import pytest

from domain.status import (
    CAMPAIGN_MOVES,
    MESSAGE_MOVES,
    CampaignStatus,
    MessageStatus,
    Outcome,
    end,
    merge,
    raised,
)

C, M = CampaignStatus, MessageStatus
ENDED = frozenset({C.COMPLETED, C.PARTIAL, C.FAILED, C.CANCELLED})


def test_every_state_has_its_moves() -> None:
    assert set(CAMPAIGN_MOVES) == set(CampaignStatus)
    assert set(MESSAGE_MOVES) == set(MessageStatus)


@pytest.mark.parametrize("status", CampaignStatus)
def test_a_campaign_can_be_cancelled_exactly_before_its_end(status: CampaignStatus) -> None:
    assert (C.CANCELLED in CAMPAIGN_MOVES[status]) == (status not in ENDED)


def test_an_ended_campaign_goes_back_to_running_only_by_a_retry() -> None:
    assert {status for status in ENDED if C.RUNNING in CAMPAIGN_MOVES[status]} == {C.FAILED, C.PARTIAL}
    assert not CAMPAIGN_MOVES[C.COMPLETED] | CAMPAIGN_MOVES[C.CANCELLED]


def test_the_moves_down_are_the_four_that_are_named() -> None:
    order = [M.FAILED, M.UNKNOWN, M.SENT, M.DELIVERED, M.READ]
    for higher, lower in product(order, repeat=2):
        if order.index(lower) < order.index(higher):
            assert lower not in MESSAGE_MOVES[higher]
    assert {status for status, to in MESSAGE_MOVES.items() if M.QUEUED in to} == {M.PROCESSING, M.FAILED, M.UNKNOWN}


@pytest.mark.parametrize(
    ("status", "fact", "to"),
    [
        (M.PROCESSING, Outcome.SENT, M.SENT),
        (M.QUEUED, Outcome.READ, M.READ),
        (M.UNKNOWN, Outcome.SENT, M.SENT),
        (M.FAILED, Outcome.DELIVERED, M.DELIVERED),
        (M.CANCELLED, Outcome.SENT, M.CANCELLED),
        (M.CANCELLED, Outcome.DELIVERED, M.DELIVERED),
        (M.SUPPRESSED, Outcome.SENT, M.SUPPRESSED),
        (M.SUPPRESSED, Outcome.READ, M.READ),
        (M.READ, Outcome.SENT, M.READ),
        (M.DELIVERED, Outcome.SENT, M.DELIVERED),
        (M.SENT, Outcome.NOT_SENT, M.SENT),
        (M.UNKNOWN, Outcome.NOT_SENT, M.UNKNOWN),
        (M.QUEUED, Outcome.UNKNOWN, M.QUEUED),
    ],
)
def test_a_receipt_may_only_raise(status: MessageStatus, fact: Outcome, to: MessageStatus) -> None:
    assert raised(status, fact) is to


@pytest.mark.parametrize(("status", "fact"), list(product(MessageStatus, Outcome)))
def test_a_receipt_makes_only_moves_of_the_table(status: MessageStatus, fact: Outcome) -> None:
    to = raised(status, fact)
    assert to is status or to in MESSAGE_MOVES[status]


@pytest.mark.parametrize(
    ("known", "fact", "merged"),
    [
        (Outcome.BEGUN, Outcome.UNKNOWN, Outcome.UNKNOWN),
        (Outcome.UNKNOWN, Outcome.NOT_SENT, Outcome.NOT_SENT),
        (Outcome.NOT_SENT, Outcome.SENT, Outcome.SENT),
        (Outcome.DELIVERED, Outcome.NOT_SENT, Outcome.DELIVERED),
        (Outcome.READ, Outcome.DELIVERED, Outcome.READ),
    ],
)
def test_of_two_facts_about_an_attempt_the_surer_one_stays(known: Outcome, fact: Outcome, merged: Outcome) -> None:
    assert merge(known, fact) is merge(fact, known) is merged


@pytest.mark.parametrize(
    ("counts", "ended"),
    [
        ({M.SENT: 2, M.FAILED: 1}, C.PARTIAL),
        ({M.SENT: 1, M.DELIVERED: 1, M.READ: 1}, C.COMPLETED),
        ({M.FAILED: 3}, C.FAILED),
        ({M.UNKNOWN: 3}, C.FAILED),
        ({M.READ: 1, M.UNKNOWN: 1}, C.PARTIAL),
        ({M.SENT: 1, M.SUPPRESSED: 5, M.CANCELLED: 5}, C.COMPLETED),
        ({M.SUPPRESSED: 5}, C.FAILED),
        ({}, C.FAILED),
        ({M.SENT: 9, M.QUEUED: 1}, None),
        ({M.SENT: 9, M.PROCESSING: 1}, None),
    ],
)
def test_how_a_campaign_ends(counts: dict[MessageStatus, int], ended: CampaignStatus | None) -> None:
    assert end(counts) is ended
