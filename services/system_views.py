"""The machine room as its operator sees it: who runs and what each does, the queues, what is late, what is wrong (R48).

Processes, queues, bridges and lateness are those of the whole installation; the audit trail is the workspace's.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from db.queries import query
from domain import faults
from domain.failures import in_words
from domain.faults import Fault
from services import processes, queue_reports
from services.queue_reports import QueueReport

AUDIT_PAGE = 100


@dataclass(frozen=True, slots=True)
class Sending:
    """A message that a worker has begun ``for_s`` seconds ago and not recorded yet; ``campaign`` None: a single send."""

    message_id: int
    device: str
    campaign_id: int | None
    campaign: str | None
    for_s: float


@dataclass(frozen=True, slots=True)
class ProcessView:
    """A process; ``alive`` False: it ended without a word, and was last seen at ``seen_at``."""

    id: str
    kind: str
    version: str
    threads: int
    leads: bool
    started_at: datetime
    seen_at: datetime
    alive: bool
    sending: list[Sending]


@dataclass(frozen=True, slots=True)
class BridgeView:
    """A bridge with its number of devices; ``checked_at`` is when it last told how they are. ``default`` is BRIDGE_URL's."""

    address: str
    devices: int
    away_since: datetime | None
    reason: str | None
    error_code: str | None
    checked_at: datetime | None
    checked_ago_s: float | None


@dataclass(frozen=True, slots=True)
class OldestSendable:
    """The message that could be sent now and has waited longest for it."""

    message_id: int
    campaign_id: int | None
    device_id: int
    device_name: str
    waits_s: float


@dataclass(frozen=True, slots=True)
class Versions:
    """``redis`` is None until a dispatcher has told it."""

    fanfare: str
    schema_revision: str
    python: str
    postgres: str
    redis: str | None


@dataclass(frozen=True, slots=True)
class SystemView:
    """All of it at ``at``. ``faults``: what is wrong, the gravest first; none: all is well.

    Lateness in seconds over the ``attempts`` of the last five minutes, None when there were none. ``queues`` is None before
    the first report of a dispatcher.
    """

    at: datetime
    faults: list[Fault]
    processes: list[ProcessView]
    bridges: list[BridgeView]
    queues: QueueReport | None
    oldest: OldestSendable | None
    in_doubt: int
    events_waiting: int
    oldest_event_s: float | None
    attempts: int
    lateness_p50_s: float | None
    lateness_p99_s: float | None
    versions: Versions


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to ``subject`` (like ``campaign:12``); ``name`` is the subject's, None when it has none or is gone."""

    id: int
    at: datetime
    who: str
    action: str
    subject: str
    details: dict[str, Any]
    name: str | None


def read(db: Connection, workspace_id: int) -> SystemView:
    """The machine room now."""
    figures = db.execute(query("system_figures"), {"workspace_id": workspace_id}).one()
    running = _processes(db)
    bridges = [_bridge(dict(row)) for row in db.execute(query("bridges")).mappings()]
    queues = queue_reports.read(db)
    oldest = db.execute(query("oldest_sendable")).mappings().one_or_none()
    alive = [process for process in running if process.alive]
    facts = faults.Facts(
        leaders=sum(process.leads for process in alive),
        workers=sum(process.kind == "worker" for process in alive),
        versions=len({process.version for process in alive}),
        stopped=figures.stopped,
        bridges_away=sum(bridge.away_since is not None for bridge in bridges),
        oldest_sendable_s=oldest["waits_s"] if oldest else None,
        oldest_event_s=figures.oldest_event_s,
        redis_away=queues is not None and queues.away_since is not None,
        sends_waiting=next((queue.waiting for queue in queues.queues if queue.name == "sends"), 0) if queues else 0,
        redis_memory_used=queues.memory_used if queues else 0,
        redis_memory_limit=queues.memory_limit if queues else 0,
    )
    return SystemView(
        at=figures.at,
        faults=faults.faults(facts),
        processes=running,
        bridges=bridges,
        queues=queues,
        oldest=OldestSendable(**oldest) if oldest else None,
        in_doubt=figures.in_doubt,
        events_waiting=figures.events_waiting,
        oldest_event_s=figures.oldest_event_s,
        attempts=figures.attempts,
        lateness_p50_s=figures.lateness_p50_s,
        lateness_p99_s=figures.lateness_p99_s,
        versions=Versions(
            fanfare=processes.version(),
            schema_revision=figures.schema_revision,
            python=platform.python_version(),
            postgres=figures.postgres_version,
            redis=queues.redis_version or None if queues else None,
        ),
    )


def audit_trail(db: Connection, workspace_id: int, *, before: int | None = None) -> list[AuditEntry]:
    """A page of the audit trail, the latest first, from below the id ``before``."""
    rows = db.execute(query("audit_page"), {"workspace_id": workspace_id, "before": before, "limit": AUDIT_PAGE})
    return [AuditEntry(**row) for row in rows.mappings()]


def _processes(db: Connection) -> list[ProcessView]:
    rows = db.execute(query("processes"), {"alive_s": processes.ALIVE_S}).mappings()
    return [ProcessView(**{**row, "sending": [Sending(**message) for message in row["sending"]]}) for row in rows]


def _bridge(row: dict[str, Any]) -> BridgeView:
    return BridgeView(**row, reason=in_words(row["error_code"], None))
