"""Who did what: a row in the same transaction as the deed."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import Connection, text


def write(
    db: Connection, workspace_id: int, who: str, action: str, subject: str, details: Mapping[str, object] | None = None
) -> int:
    """Write it down; ``subject`` is like ``campaign:12``. Returns the id, by which a guarded move shows who decided it."""
    return int(
        db.execute(
            text(
                "INSERT INTO audit (workspace_id, who, action, subject, details)"
                " VALUES (:workspace_id, :who, :action, :subject, CAST(:details AS jsonb)) RETURNING id"
            ),
            {
                "workspace_id": workspace_id,
                "who": who,
                "action": action,
                "subject": subject,
                "details": json.dumps(dict(details or {})),
            },
        ).scalar_one()
    )


def add(db: Connection, audit_id: int, details: Mapping[str, object]) -> None:
    """What came of the deed, which is known only after its row."""
    db.execute(
        text("UPDATE audit SET details = details || CAST(:details AS jsonb) WHERE id = :id"),
        {"id": audit_id, "details": json.dumps(dict(details))},
    )
