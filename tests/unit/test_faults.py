"""The verdict on the machine room: what is true is said, and nothing is called well that is not known to be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.faults import BACKLOG, LATE_S, Facts, Fault, faults

WELL = Facts(
    leaders=1,
    workers=2,
    versions=1,
    stopped=False,
    bridges_away=0,
    oldest_sendable_s=None,
    oldest_event_s=None,
    redis_away=False,
    sends_waiting=0,
    redis_memory_used=4_000_000,
    redis_memory_limit=0,
)


@pytest.mark.parametrize(
    ("facts", "codes"),
    [
        ({}, []),
        ({"oldest_sendable_s": LATE_S, "oldest_event_s": 0.2, "sends_waiting": BACKLOG - 1}, []),
        ({"leaders": 0}, ["no_dispatcher"]),
        ({"workers": 0}, ["no_worker"]),
        ({"stopped": True}, ["stopped"]),
        ({"bridges_away": 2}, ["bridge_away"]),
        ({"redis_away": True, "sends_waiting": BACKLOG}, ["redis_away"]),
        ({"sends_waiting": BACKLOG}, ["queue_backlog"]),
        ({"oldest_sendable_s": LATE_S + 1}, ["messages_late"]),
        ({"oldest_event_s": LATE_S + 1}, ["events_late"]),
        ({"redis_memory_limit": 4_100_000}, ["redis_full"]),
        ({"redis_memory_limit": 40_000_000}, []),
        ({"versions": 2}, ["versions_differ"]),
        # What was last told of Redis is of no time that matters when nobody leads.
        ({"leaders": 0, "redis_away": True, "sends_waiting": BACKLOG}, ["no_dispatcher"]),
    ],
)
def test_what_is_true_is_said(facts: dict[str, Any], codes: list[str]) -> None:
    assert faults(replace(WELL, **facts)) == codes


def test_the_gravest_comes_first() -> None:
    worst = replace(WELL, leaders=0, workers=0, stopped=True, bridges_away=1, versions=3)
    assert faults(worst) == [
        Fault.NO_DISPATCHER,
        Fault.NO_WORKER,
        Fault.STOPPED,
        Fault.BRIDGE_AWAY,
        Fault.VERSIONS_DIFFER,
    ]
