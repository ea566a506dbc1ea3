"""What an official number sends, as it stands in the database: templates, files, and who has written when."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from cloud_numbers import BUSINESS
from people import workspace
from sqlalchemy import Connection, text

ORDER: list[dict[str, Any]] = [
    {"type": "HEADER", "format": "TEXT", "text": "Order {{1}}", "example": {"header_text": ["12"]}},
    {"type": "BODY", "text": "Hello {{1}}, it goes to {{2}}.", "example": {"body_text": [["Dana", "Haifa"]]}},
    {"type": "FOOTER", "text": "Fanfare"},
    {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Track", "url": "https://example.com/{{1}}"}]},
]
FILLED = {"header.1": "7", "body.1": "{name|there}", "body.2": "{city}", "button.0": "{name|all}"}
HELLO: list[dict[str, Any]] = [{"type": "BODY", "text": "Hello {{1}}"}]
PICTURE: list[dict[str, Any]] = [{"type": "HEADER", "format": "IMAGE"}, *HELLO]
NAMED = {"body.1": "{name|there}"}


def put_template(
    db: Connection,
    name: str = "hello",
    components: Sequence[dict[str, Any]] = tuple(HELLO),
    *,
    language: str = "en",
    status: str = "APPROVED",
    business_id: str = BUSINESS,
) -> None:
    """A business account has this template, in the place of the one that it had."""
    db.execute(
        text(
            "INSERT INTO templates (business_id, name, language, status, category, parameter_format, components)"
            " VALUES (:business_id, :name, :language, :status, 'UTILITY', 'POSITIONAL', CAST(:components AS jsonb))"
            " ON CONFLICT (business_id, name, language) DO UPDATE"
            " SET status = excluded.status, components = excluded.components"
        ),
        {
            "business_id": business_id,
            "name": name,
            "language": language,
            "status": status,
            "components": json.dumps(list(components)),
        },
    )


def asked(name: str = "hello", values: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    """A template as a launch or draft asks for it."""
    filled = NAMED if values is None else values
    return {"name": name, "language": "en", "values": filled, "media_id": None, **more}


def put_file(db: Connection, mimetype: str = "image/png") -> int:
    """A file that may go out with messages; returns its id."""
    return int(
        db.execute(
            text(
                "INSERT INTO media (workspace_id, digest, mimetype, filename, content)"
                " VALUES (:workspace_id, :mimetype, :mimetype, 'a file', '') RETURNING id"
            ),
            {"workspace_id": workspace(db), "mimetype": mimetype},
        ).scalar_one()
    )


def wrote(db: Connection, device_id: int, phones: Sequence[str], *, hours_ago: float = 1.0) -> None:
    """These people wrote to a number, for the last time."""
    db.execute(
        text(
            "INSERT INTO conversations (device_id, phone, last_inbound_at)"
            " SELECT :device_id, unnest(CAST(:phones AS text[])), clock_timestamp() - make_interval(secs => :s)"
            " ON CONFLICT (device_id, phone) DO UPDATE SET last_inbound_at = excluded.last_inbound_at"
        ),
        {"device_id": device_id, "phones": list(phones), "s": hours_ago * 3600},
    )
