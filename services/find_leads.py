"""People of the book by their ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class FoundLead:
    """A lead as a recipient: ``attributes`` are what a message may use besides the name."""

    id: int
    phone: str
    name: str | None
    attributes: dict[str, Any]


def find_leads(db: Connection, workspace_id: int, lead_ids: Sequence[int]) -> dict[int, FoundLead]:
    """Those of these leads that exist, by id."""
    rows = db.execute(
        text(
            "SELECT id, phone, name, attributes FROM leads"
            " WHERE workspace_id = :workspace_id AND id = ANY(CAST(:ids AS bigint[]))"
        ),
        {"workspace_id": workspace_id, "ids": list(lead_ids)},
    ).mappings()
    return {row["id"]: FoundLead(**row) for row in rows}
