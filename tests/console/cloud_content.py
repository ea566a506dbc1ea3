"""Templates and open windows for tests, as Meta and the upkeep would have left them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from cloud_numbers import BUSINESS
from sqlalchemy import Connection, text

ORDER: list[dict[str, Any]] = [
    {"type": "BODY", "text": "Hello {{1}}, your order {{2}} is ready."},
    {"type": "FOOTER", "text": "The shop"},
    {
        "type": "BUTTONS",
        "buttons": [
            {"type": "URL", "text": "Track it", "url": "https://shop.example/track/{{1}}"},
            {"type": "QUICK_REPLY", "text": "Stop"},
        ],
    },
]
PICTURE: list[dict[str, Any]] = [
    {"type": "HEADER", "format": "IMAGE"},
    {"type": "BODY", "text": "Sale for {{first_name}}!"},
]
CAROUSEL: list[dict[str, Any]] = [{"type": "BODY", "text": "Look"}, {"type": "CAROUSEL", "cards": []}]


def add_template(
    db: Connection,
    name: str,
    components: Sequence[dict[str, Any]] = ORDER,
    *,
    language: str = "en_US",
    status: str = "APPROVED",
    business: str = BUSINESS,
) -> None:
    """A template of a business account."""
    db.execute(
        text(
            "INSERT INTO templates (business_id, name, language, status, category, parameter_format, components)"
            " VALUES (:business, :name, :language, :status, 'UTILITY', 'POSITIONAL', CAST(:components AS jsonb))"
        ),
        {
            "business": business,
            "name": name,
            "language": language,
            "status": status,
            "components": json.dumps(list(components)),
        },
    )


def open_window(db: Connection, device_id: int, phone: str) -> None:
    """This person has written to the number just now."""
    db.execute(
        text("INSERT INTO conversations VALUES (:device_id, :phone, clock_timestamp())"),
        {"device_id": device_id, "phone": phone},
    )
