"""One message as its sender sees it: where it stands, why, and each attempt to hand it over (R57)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

from domain import failures


def one(db: Connection, workspace_id: int, message_id: int) -> dict[str, Any] | None:
    """A message with each of its attempts (R57), or None: number, device, send key, outcome, proof, times, code."""
    row = (
        db.execute(
            text(
                "SELECT id, campaign_id, origin, lead_id, phone, name, status, error_code, error_reason, device_id,"
                " attempt AS attempts, processing_worker_id, processing_started_at, due_at, created_at, sent_at,"
                " delivered_at, read_at, unknown_at, failed_at, cancelled_at, suppressed_at"
                " FROM messages WHERE id = :id AND workspace_id = :workspace_id"
            ),
            {"id": message_id, "workspace_id": workspace_id},
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        return None
    attempts = db.execute(
        text(
            "SELECT a.number, a.message_id || '.' || a.number AS key, a.device_id, d.name AS device_name, a.worker_id,"
            " a.due_at, a.begun_at, a.finished_at, a.outcome, a.proof, a.provider_message_id, a.error_code,"
            " a.error_reason FROM attempts a LEFT JOIN devices d ON d.id = a.device_id"
            " WHERE a.message_id = :id ORDER BY a.number"
        ),
        {"id": message_id},
    ).mappings()
    return {**with_reason(row), "attempts": [with_reason(attempt) for attempt in attempts]}


def with_reason(row: Any) -> dict[str, Any]:
    """A row with ``code`` and ``reason`` in words in the place of its error columns."""
    rest = {name: value for name, value in row.items() if name not in ("error_code", "error_reason")}
    return {**rest, "code": row["error_code"], "reason": failures.in_words(row["error_code"], row["error_reason"])}
