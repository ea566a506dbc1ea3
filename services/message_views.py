"""One message as its sender sees it: where it stands, why, and each attempt to hand it over (R57)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from domain import failures, template


def one(db: Connection, workspace_id: int, message_id: int) -> dict[str, Any] | None:
    """A message with each of its attempts (R57), or None: number, device, send key, outcome, proof, times, code.

    ``text`` is what this person was or will be sent. ``undecided``: it is in doubt, and nobody has decided whether it is
    sent again (services/doubts.py).
    """
    row = (
        db.execute(
            text(
                "SELECT m.id, m.campaign_id, m.origin, m.lead_id, m.phone, m.name, m.status, m.error_code, m.error_reason,"
                " m.device_id, d.name AS device_name, m.attempt AS attempts, m.processing_worker_id,"
                " m.processing_started_at, m.accepted_at, m.due_at, m.created_at, m.sent_at, m.delivered_at, m.read_at,"
                " m.unknown_at, m.failed_at, m.cancelled_at, m.suppressed_at,"
                " m.status = 'unknown' AND m.doubt_left_by IS NULL AND has_unproven_attempt(m.id)"
                "   AND NOT awaits_word(m.id, m.attempt) AND NOT EXISTS ("
                "   SELECT 1 FROM suppressions s WHERE s.workspace_id = m.workspace_id AND s.phone = m.phone) AS undecided,"
                " c.title AS campaign_title, c.status AS campaign_status, m.variables, coalesce(m.text, c.message) AS text"
                " FROM messages m LEFT JOIN devices d ON d.id = m.device_id LEFT JOIN campaigns c ON c.id = m.campaign_id"
                " WHERE m.id = :id AND m.workspace_id = :workspace_id"
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
    return {
        **with_reason(row),
        "text": _written(row),
        "attempts": [with_reason(attempt) for attempt in attempts],
    }


def _written(row: Any) -> str:
    """The text as launched where it lacks a value of this person; that of a single send is no template."""
    if row["campaign_id"] is None:
        return str(row["text"])
    values = {"name": row["name"], **row["variables"]} if row["name"] else row["variables"]
    try:
        return template.render(template.parse(row["text"]), values)
    except (template.TemplateError, template.MissingValuesError):
        return str(row["text"])


def since(row: Mapping[str, Any]) -> datetime:
    """When a message reached its status: of a row with a time for each state."""
    at: datetime = row.get(f"{row['status']}_at") or row["created_at"]
    return at


def with_reason(row: Any) -> dict[str, Any]:
    """A row with ``code`` and ``reason`` in words in the place of its error columns."""
    rest = {name: value for name, value in row.items() if name not in ("error_code", "error_reason")}
    return {**rest, "code": row["error_code"], "reason": failures.in_words(row["error_code"], row["error_reason"])}
