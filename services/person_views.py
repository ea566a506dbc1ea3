"""Everything that is known of one phone number: in the book, on the never-send list, and every message to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from db.queries import query
from services.message_views import with_reason
from services.single import checked_number
from services.workspaces import Workspace

NEWEST = 500


@dataclass(frozen=True, slots=True)
class Lead:
    """A person in the book."""

    id: int
    name: str | None
    niche: str | None
    status: str
    tags: list[str]
    attributes: dict[str, Any]
    device_name: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Suppression:
    """Why nothing is sent to this number: ``reason`` is opt_out, invalid, complaint or by_hand; ``proof`` is in words."""

    reason: str
    proof: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class PersonView:
    """``messages`` are the newest 500, the newest first, as rows of a page of recipients with their campaign besides."""

    phone: str
    lead: Lead | None
    suppression: Suppression | None
    messages: list[dict[str, Any]]

    @property
    def name(self) -> str | None:
        """What this person is called: in the book, else in the newest message that says."""
        return (self.lead and self.lead.name) or next((row["name"] for row in self.messages if row["name"]), None)


def find(db: Connection, workspace: Workspace, number: str) -> PersonView:
    """What is known of a number in any usual spelling, which may be nothing. Raises Refused, INVALID_PHONE."""
    phone = checked_number(number, workspace.default_country)
    person = {"workspace_id": workspace.id, "phone": phone}
    lead = (
        db.execute(
            text(
                "SELECT l.id, l.name, l.niche, l.status, l.tags, l.attributes, d.name AS device_name, l.created_at"
                " FROM leads l LEFT JOIN devices d ON d.id = l.device_id"
                " WHERE l.workspace_id = :workspace_id AND l.phone = :phone"
            ),
            person,
        )
        .mappings()
        .one_or_none()
    )
    suppression = (
        db.execute(
            text(
                "SELECT reason, proof, created_at FROM suppressions"
                " WHERE workspace_id = :workspace_id AND phone = :phone"
            ),
            person,
        )
        .mappings()
        .one_or_none()
    )
    messages = db.execute(query("person_messages"), {**person, "limit": NEWEST}).mappings()
    return PersonView(
        phone=phone,
        lead=None if lead is None else Lead(**lead),
        suppression=None if suppression is None else Suppression(**suppression),
        messages=[with_reason(row) for row in messages],
    )
