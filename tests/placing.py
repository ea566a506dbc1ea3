"""Rows placed in any state, past the guards, so that a test can begin where it likes. What is tested then runs with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any
from uuid import uuid4

from people import workspace
from sqlalchemy import Connection, text

from services import deliver
from services.deliver import Begun


@contextmanager
def unguarded(db: Connection) -> Iterator[None]:
    """Triggers rest inside; CHECKs and unique indexes hold all the same."""
    db.execute(text("SET LOCAL session_replication_role = replica"))
    yield
    db.execute(text("SET LOCAL session_replication_role = DEFAULT"))


def place_campaign(db: Connection, status: str = "running", **more: Any) -> int:
    """A campaign in this state."""
    values = {
        "workspace_id": workspace(db),
        "title": "A campaign",
        "message": "Hello",
        "status": status,
        "pause_reason": "operator" if status == "paused" else None,
        "error_code": "none_sent" if status == "failed" else None,
        "job_id": uuid4(),
        **more,
    }
    return _insert(db, "campaigns", values)


def use_devices(db: Connection, campaign_id: int, *device_ids: int) -> None:
    """A campaign may use these devices, and does while it is queued or running."""
    db.execute(
        text(
            "INSERT INTO campaign_devices (campaign_id, device_id, active)"
            " SELECT id, unnest(CAST(:devices AS bigint[])), status IN ('queued', 'running') FROM campaigns WHERE id = :id"
        ),
        {"id": campaign_id, "devices": list(device_ids)},
    )


def begin_next(db: Connection, device_id: int, *, slot: int = 0, seed: int = 1) -> Begun | None:
    """What a worker begins."""
    return deliver.begin(db, device_id, slot, worker_id="a worker", lease_s=40, rng=Random(seed))


def place_message(
    db: Connection,
    campaign_id: int | None,
    status: str = "queued",
    *,
    device_id: int | None = None,
    attempts: Sequence[str] = (),
    **more: Any,
) -> int:
    """A message in this state, with one attempt for each of these outcomes; *processing* holds slot 0 of its device."""
    held = {
        "slot": 0,
        "processing_worker_id": "a worker",
        "processing_started_at": _now(db),
        "lease_until": _now(db, seconds=40),
    }
    values = {
        "workspace_id": workspace(db),
        "campaign_id": campaign_id,
        "origin": "single" if campaign_id is None else "campaign",
        "device_id": device_id,
        "phone": f"+97250{db.execute(text('SELECT count(*) + 2000000 FROM messages')).scalar_one()}",
        "text": "Hello" if campaign_id is None else None,
        "status": status,
        "attempt": len(attempts),
        "error_code": "provider_error" if status in ("failed", "unknown") else None,
        **(held if status == "processing" else {}),
        **more,
    }
    message_id = _insert(db, "messages", values)
    for number, outcome in enumerate(attempts, start=1):
        db.execute(
            text(
                "INSERT INTO attempts (message_id, number, device_id, worker_id, due_at, begun_at, outcome, proof)"
                " VALUES (:id, :number, :device_id, 'a worker', clock_timestamp(), clock_timestamp(), :outcome,"
                " CASE WHEN :outcome = 'not_sent' THEN 'answer' END)"
            ),
            {"id": message_id, "number": number, "device_id": device_id or 0, "outcome": outcome},
        )
    return message_id


def add_audit(db: Connection) -> int:
    """A row that says that somebody decided something."""
    return _insert(
        db,
        "audit",
        {"workspace_id": workspace(db), "who": "dana", "action": "retry", "subject": "a test", "details": "{}"},
    )


def _now(db: Connection, seconds: int = 0) -> Any:
    return db.execute(text("SELECT clock_timestamp() + make_interval(secs => :s)"), {"s": seconds}).scalar_one()


def _insert(db: Connection, table: str, values: dict[str, Any]) -> int:
    columns, places = ", ".join(values), ", ".join(f":{name}" for name in values)
    with unguarded(db):
        return int(
            db.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({places}) RETURNING id"), values).scalar_one()
        )
