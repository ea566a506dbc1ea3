"""What is wrong with the machine room now, in codes: nothing is called well that is not known to be."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

LATE_S: Final = 60.0  # a message that could be sent, or an event that could be applied, waits no longer than this
BACKLOG: Final = 1000  # sends that are released and that no worker has taken: several seconds' work of a fleet
FULL: Final = 0.9  # of the memory that Redis may use


class Fault(StrEnum):
    """The gravest first."""

    NO_DISPATCHER = "no_dispatcher"  # none leads, so nothing is released
    NO_WORKER = "no_worker"
    STOPPED = "stopped"  # by somebody, for the whole workspace
    REDIS_AWAY = "redis_away"
    BRIDGE_AWAY = "bridge_away"
    MESSAGES_LATE = "messages_late"
    QUEUE_BACKLOG = "queue_backlog"
    EVENTS_LATE = "events_late"
    REDIS_FULL = "redis_full"
    VERSIONS_DIFFER = "versions_differ"


@dataclass(frozen=True, slots=True)
class Facts:
    """``oldest_sendable_s`` and ``oldest_event_s``: for how long the oldest has waited, None when none waits.

    What the leading dispatcher tells of Redis counts only while one leads; otherwise nobody knows.
    """

    leaders: int
    workers: int
    versions: int
    stopped: bool
    bridges_away: int
    oldest_sendable_s: float | None
    oldest_event_s: float | None
    redis_away: bool
    sends_waiting: int
    redis_memory_used: int
    redis_memory_limit: int


def faults(now: Facts) -> list[Fault]:
    """Those that are true now, the gravest first; none: all is well."""
    seen = now.leaders > 0
    true = {
        Fault.NO_DISPATCHER: not seen,
        Fault.NO_WORKER: now.workers == 0,
        Fault.STOPPED: now.stopped,
        Fault.REDIS_AWAY: seen and now.redis_away,
        Fault.BRIDGE_AWAY: now.bridges_away > 0,
        Fault.MESSAGES_LATE: (now.oldest_sendable_s or 0.0) > LATE_S,
        Fault.QUEUE_BACKLOG: seen and not now.redis_away and now.sends_waiting >= BACKLOG,
        Fault.EVENTS_LATE: (now.oldest_event_s or 0.0) > LATE_S,
        Fault.REDIS_FULL: seen and 0 < now.redis_memory_limit * FULL < now.redis_memory_used,
        Fault.VERSIONS_DIFFER: now.versions > 1,
    }
    return [fault for fault in Fault if true[fault]]
