"""Drafts: campaigns that are still being made. A launch moves one out of ``draft``, and then nothing here touches it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, text

from db.queries import query
from domain.limits import FURTHEST_AHEAD, LONGEST_DELAY_S, LONGEST_MESSAGE, LONGEST_TITLE
from domain.text import storable
from services import audit, template_filling
from services.refused import Refused

CHANGEABLE = ("title", "message", "template", "device_ids", "min_delay_s", "max_delay_s", "scheduled_at", "save_leads")
_PLACES = {"template": "CAST(:template AS jsonb)"}
LISTED = 100  # drafts that a list shows


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft. ``device_ids`` None: all that can send; those of devices deleted since are left out, and with none left it
    cannot be launched. Delays in seconds; ``headers`` are the columns of its people's file, ``phone_header`` the one of
    the numbers. ``template`` is one of Meta's as stored (services/template_filling.py), and ``message`` then its words."""

    id: int
    title: str
    message: str
    device_ids: list[int] | None
    min_delay_s: float | None
    max_delay_s: float | None
    scheduled_at: datetime | None
    save_leads: bool
    headers: list[str]
    phone_header: str | None
    created_at: datetime
    edited_at: datetime
    template: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A draft in a list; ``people`` are those whose rows are good."""

    id: int
    title: str
    people: int
    created_at: datetime
    edited_at: datetime


def create(db: Connection, workspace_id: int, changes: Mapping[str, Any], *, who: str) -> int:
    """Begin a draft with these of CHANGEABLE; returns its id. Raises Refused, INVALID."""
    draft_id = int(
        db.execute(
            text(
                "INSERT INTO campaigns (workspace_id, title, message, status, job_id, edited_at)"
                " VALUES (:workspace_id, '', '', 'draft', CAST(:job_id AS uuid), clock_timestamp()) RETURNING id"
            ),
            {"workspace_id": workspace_id, "job_id": uuid4()},
        ).scalar_one()
    )
    change(db, workspace_id, draft_id, changes)
    audit.write(db, workspace_id, who, "create_draft", f"campaign:{draft_id}")
    return draft_id


def one(db: Connection, workspace_id: int, draft_id: int) -> Draft | None:
    """A draft; None when there is none with this id, or it was launched."""
    row = db.execute(query("draft"), {"id": draft_id, "workspace_id": workspace_id}).mappings().one_or_none()
    return None if row is None else Draft(**row)


def every(db: Connection, workspace_id: int) -> list[Listed]:
    """The drafts of a workspace, the last edited first."""
    rows = db.execute(query("drafts"), {"workspace_id": workspace_id, "limit": LISTED}).mappings()
    return [Listed(**row) for row in rows]


def change(db: Connection, workspace_id: int, draft_id: int, changes: Mapping[str, Any]) -> None:
    """Set those of CHANGEABLE that ``changes`` names. A template is asked for as services/template_filling.py has it, and
    need not be filled yet; its words become the message. Without one (None) the message stays until another is given.
    ``filling`` sets ``values`` or the ``media_id`` of the template ``of`` this name and language, and leaves the rest as it
    is by now: who types does not undo what was chosen a moment ago. It is nothing for another template.

    Raises Refused: NOT_FOUND, NOT_POSSIBLE when it was launched, INVALID with the field in ``details``, or what is wrong
    with the template.
    """
    draft = locked(db, workspace_id, draft_id)
    changes = _with_template(db, workspace_id, draft, changes)
    _check({"min_delay_s": draft.min_delay_s, "max_delay_s": draft.max_delay_s, **changes}, draft.now)
    named = [name for name in CHANGEABLE if name in changes]
    settings = ", ".join(f"{name} = {_PLACES.get(name, f':{name}')}" for name in named)
    db.execute(
        text(f"UPDATE campaigns SET {settings}{', ' if named else ''}edited_at = clock_timestamp() WHERE id = :id"),  # noqa: S608
        {"id": draft_id, **{name: _as_stored(changes[name]) for name in named}},
    )


def delete(db: Connection, workspace_id: int, draft_id: int, *, who: str) -> None:
    """A draft is gone, with its file and people. Raises Refused, NOT_FOUND or NOT_POSSIBLE."""
    draft = locked(db, workspace_id, draft_id)
    db.execute(text("DELETE FROM campaigns WHERE id = :id"), {"id": draft_id})
    audit.write(db, workspace_id, who, "delete_draft", f"campaign:{draft_id}", {"title": draft.title})


def locked(db: Connection, workspace_id: int, draft_id: int) -> Any:
    """The row of a draft, which is neither changed nor launched by others until this transaction ends; ``now`` is the
    database's. Raises Refused: NOT_FOUND, or NOT_POSSIBLE when it was launched."""
    row = db.execute(
        text(
            "SELECT status, title, device_ids, template, min_delay_s, max_delay_s,"
            " clock_timestamp() AS now FROM campaigns"
            " WHERE id = :id AND workspace_id = :workspace_id FOR UPDATE"
        ),
        {"id": draft_id, "workspace_id": workspace_id},
    ).one_or_none()
    if row is None:
        raise not_found()
    if row.status != "draft":
        raise Refused("NOT_POSSIBLE", "This campaign was launched already, so it cannot be changed any more.")
    return row


def not_found() -> Refused:
    return Refused("NOT_FOUND", "This draft is not there: somebody may have deleted it.")


def _with_template(db: Connection, workspace_id: int, draft: Any, changes: Mapping[str, Any]) -> Mapping[str, Any]:
    """The changes with what follows from a template: its parts, and its words as the message."""
    asked = changes.get("template") or _filled(draft.template, changes.get("filling"))
    if asked is not None:
        template = template_filling.stored(db, workspace_id, asked, changes.get("device_ids", draft.device_ids))
        return {**changes, "template": template, "message": template_filling.in_words(template)}
    if "message" in changes and "template" not in changes and draft.template is not None:
        raise Refused("INVALID", "The text of a template is Meta's: it is changed there.", {"field": "message"})
    return changes


def _filled(stored: dict[str, Any] | None, filling: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The stored template with what is filled in; None when there is nothing to fill."""
    if stored is None or filling is None or (stored["name"], stored["language"]) != tuple(filling["of"]):
        return None
    values = {**stored["values"], **filling.get("values", {})}
    return {**stored, "values": values, "media_id": filling.get("media_id", stored["media_id"])}


def _as_stored(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, dict) else value


def _check(changes: Mapping[str, Any], now: datetime) -> None:
    _check_text("title", changes.get("title", ""), LONGEST_TITLE)
    _check_text("message", changes.get("message", ""), LONGEST_MESSAGE)
    least, most = changes["min_delay_s"], changes["max_delay_s"]
    if any(delay is not None and not 0 <= delay <= LONGEST_DELAY_S for delay in (least, most)):
        raise Refused("INVALID", "A pause is between 0 seconds and a day.", {"field": "min_delay_s"})
    if least is not None and most is not None and least > most:
        raise Refused("INVALID", "The shortest pause must not be above the longest.", {"field": "min_delay_s"})
    at: datetime | None = changes.get("scheduled_at")
    if at is not None and not now < at.astimezone(UTC) <= now + FURTHEST_AHEAD:
        raise Refused(
            "INVALID", "Choose a time that is still to come, at most a year ahead.", {"field": "scheduled_at"}
        )


def _check_text(field: str, given: str, longest: int) -> None:
    if len(given) > longest:
        raise Refused(
            "INVALID",
            "This is {excess} characters too long; {longest} are possible.",
            {"field": field},
            excess=len(given) - longest,
            longest=longest,
        )
    if not storable(given):
        raise Refused("INVALID", "There is a character in it that is no text.", {"field": field})
