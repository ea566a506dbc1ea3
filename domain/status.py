"""The states of campaigns and messages: which moves exist, and how certain each state is (design: states).

The same tables are a trigger in the database; tests/integration/test_states.py tries every pair against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class CampaignStatus(StrEnum):
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    ACCEPTED = "accepted"
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"


class MessageStatus(StrEnum):
    QUEUED = "queued"
    PROCESSING = "processing"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    UNKNOWN = "unknown"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SUPPRESSED = "suppressed"


class Outcome(StrEnum):
    """What is known of one attempt. Later words are surer, so facts may come in any order and more than once."""

    BEGUN = "begun"
    UNKNOWN = "unknown"
    NOT_SENT = "not_sent"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"


C, M = CampaignStatus, MessageStatus

CAMPAIGN_MOVES: Mapping[CampaignStatus, frozenset[CampaignStatus]] = {
    C.DRAFT: frozenset({C.SCHEDULED, C.ACCEPTED, C.CANCELLED}),
    C.SCHEDULED: frozenset({C.ACCEPTED, C.FAILED, C.CANCELLED}),
    C.ACCEPTED: frozenset({C.QUEUED, C.FAILED, C.CANCELLED}),
    C.QUEUED: frozenset({C.RUNNING, C.FAILED, C.CANCELLED}),
    C.RUNNING: frozenset({C.PAUSED, C.COMPLETED, C.PARTIAL, C.FAILED, C.CANCELLED}),
    C.PAUSED: frozenset({C.RUNNING, C.COMPLETED, C.PARTIAL, C.FAILED, C.CANCELLED}),
    C.FAILED: frozenset({C.PARTIAL, C.COMPLETED, C.RUNNING}),  # to running only by an audited retry
    C.PARTIAL: frozenset({C.COMPLETED, C.RUNNING}),
    C.COMPLETED: frozenset(),
    C.CANCELLED: frozenset(),
}

MESSAGE_MOVES: Mapping[MessageStatus, frozenset[MessageStatus]] = {
    # A queued message that had an attempt can still be raised by that attempt's receipt, or end in doubt.
    M.QUEUED: frozenset({M.PROCESSING, M.FAILED, M.CANCELLED, M.SUPPRESSED, M.SENT, M.DELIVERED, M.READ, M.UNKNOWN}),
    M.PROCESSING: frozenset({M.SENT, M.DELIVERED, M.READ, M.FAILED, M.UNKNOWN, M.QUEUED, M.CANCELLED, M.SUPPRESSED}),
    M.SENT: frozenset({M.DELIVERED, M.READ}),
    M.DELIVERED: frozenset({M.READ}),
    M.READ: frozenset(),
    M.UNKNOWN: frozenset({M.SENT, M.DELIVERED, M.READ, M.QUEUED}),
    M.FAILED: frozenset({M.SENT, M.DELIVERED, M.READ, M.QUEUED}),
    M.CANCELLED: frozenset({M.DELIVERED, M.READ}),
    M.SUPPRESSED: frozenset({M.DELIVERED, M.READ}),
}

# Read > delivered > sent > unknown > failed. Cancelled and suppressed stand level with sent: only a person who
# certainly has the message beats them.
_MESSAGE_RANK: Mapping[MessageStatus, int] = {
    M.QUEUED: 0,
    M.PROCESSING: 0,
    M.FAILED: 1,
    M.UNKNOWN: 2,
    M.SENT: 3,
    M.CANCELLED: 3,
    M.SUPPRESSED: 3,
    M.DELIVERED: 4,
    M.READ: 5,
}
# What an attempt that reached its person makes of its message.
RAISES_TO: Mapping[Outcome, MessageStatus] = {
    Outcome.SENT: M.SENT,
    Outcome.DELIVERED: M.DELIVERED,
    Outcome.READ: M.READ,
}
_OUTCOMES = list(Outcome)

REACHED = frozenset({M.SENT, M.DELIVERED, M.READ})


def merge(known: Outcome, fact: Outcome) -> Outcome:
    """What is known of an attempt after one more fact about it: the surer of the two."""
    return max(known, fact, key=_OUTCOMES.index)


def raised(status: MessageStatus, fact: Outcome) -> MessageStatus:
    """Where a message stands after a receipt about any of its attempts: a receipt may only raise."""
    to = RAISES_TO.get(fact)
    return to if to is not None and _MESSAGE_RANK[to] > _MESSAGE_RANK[status] else status


def end(counts: Mapping[MessageStatus, int]) -> CampaignStatus | None:
    """How a campaign with these messages ends, or None while something is queued or processing.

    ``counts`` are by current state; suppressed and cancelled people are outside the sum, ``unknown`` counts as not
    sent.
    """
    if counts.get(M.QUEUED, 0) or counts.get(M.PROCESSING, 0):
        return None
    reached = sum(counts.get(status, 0) for status in REACHED)
    missed = counts.get(M.FAILED, 0) + counts.get(M.UNKNOWN, 0)
    if not reached:
        return C.FAILED
    return C.PARTIAL if missed else C.COMPLETED
