"""What the leading dispatcher last saw of the queues and of Redis, for everybody who has no business there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

_NAME = "queues"


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue's depth: jobs that no worker has taken, that wait for a time, and that nobody could run."""

    name: str
    waiting: int
    delayed: int
    dead: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A job that nobody could run; ``arguments`` are ids."""

    queue: str
    actor: str
    arguments: list[int]
    at: datetime


@dataclass(frozen=True, slots=True)
class QueueReport:
    """``age_s``: seconds since the dispatcher last looked. ``away_since``: Redis did not answer then, and the figures are
    those of ``counted_at``; they are empty when it never did. ``memory_limit`` in bytes, 0: none."""

    age_s: float
    away_since: datetime | None
    counted_at: datetime | None
    queues: list[Queue]
    dead_letters: list[DeadLetter]
    memory_used: int
    memory_limit: int
    memory_policy: str
    redis_version: str


def write(db: Connection, facts: Mapping[str, Any]) -> None:
    """Redis answered: ``facts`` are the fields of a QueueReport from ``queues`` on, as JSON values."""
    db.execute(
        text(
            "INSERT INTO reports (name, facts)"
            " VALUES (:name, CAST(:facts AS jsonb) || jsonb_build_object('counted_at', clock_timestamp()))"
            " ON CONFLICT (name) DO UPDATE SET facts = excluded.facts, at = excluded.at"
        ),
        {"name": _NAME, "facts": json.dumps(dict(facts))},
    )


def redis_away(db: Connection) -> None:
    """Redis does not answer: the last figures stay, and since when it is so is kept."""
    db.execute(
        text(
            "INSERT INTO reports AS r (name, facts) VALUES (:name, jsonb_build_object('away_since', clock_timestamp()))"
            " ON CONFLICT (name) DO UPDATE SET facts = excluded.facts || r.facts, at = excluded.at"
        ),
        {"name": _NAME},
    )


def read(db: Connection) -> QueueReport | None:
    """The last report; None before the first."""
    row = db.execute(
        text(
            "SELECT facts, extract(epoch FROM clock_timestamp() - at)::float AS age_s FROM reports WHERE name = :name"
        ),
        {"name": _NAME},
    ).one_or_none()
    if row is None:
        return None
    facts = row.facts
    return QueueReport(
        age_s=row.age_s,
        away_since=_time(facts.get("away_since")),
        counted_at=_time(facts.get("counted_at")),
        queues=[Queue(**queue) for queue in facts.get("queues", [])],
        dead_letters=[
            DeadLetter(**{**letter, "at": datetime.fromisoformat(letter["at"])})
            for letter in facts.get("dead_letters", [])
        ],
        memory_used=facts.get("memory_used", 0),
        memory_limit=facts.get("memory_limit", 0),
        memory_policy=facts.get("memory_policy", ""),
        redis_version=facts.get("redis_version", ""),
    )


def _time(told: str | None) -> datetime | None:
    return None if told is None else datetime.fromisoformat(told)
