"""What a launch is asked for, and what makes two of them the same (R3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.idempotency import content_hash
from domain.people import Person, RejectedRow
from services import template_filling


@dataclass(frozen=True, slots=True)
class Launch:
    """What is asked for. ``device_ids`` None: all that can send. ``leads`` maps a phone to the lead it came from;
    ``headers`` are those of the file and ``phone_header`` the one of the phones, for handing rejected
    rows back. ``draft_id`` is the draft that this is the launch of, locked by the caller. Delays in seconds.

    With a ``template`` (services/template_filling.py: as asked for, or as stored with its parts) ``message`` does not count.
    """

    workspace_id: int
    message: str
    people: Sequence[Person]
    rejected: Sequence[RejectedRow] = ()
    title: str | None = None
    device_ids: Sequence[int] | None = None
    min_delay_s: float | None = None
    max_delay_s: float | None = None
    scheduled_at: datetime | None = None
    allow_repeat: bool = False
    save_leads: bool = False
    leads: Mapping[str, int] = field(default_factory=dict)
    headers: Sequence[str] = ("phone", "name")
    phone_header: str = "phone"
    draft_id: int | None = None
    who: str = "api"
    template: Mapping[str, Any] | None = None


def content_key(request: Launch) -> str:
    """Equal for launches of the same content to the same people at the same time. A template's text is Meta's, and is none
    of it."""
    people = [(person.phone, values_of(person)) for person in request.people]
    if request.template is None:
        found = content_hash(people, message=request.message, scheduled_at=request.scheduled_at)
    else:
        asked = template_filling.content_of(request.template)
        found = content_hash(people, message="", scheduled_at=request.scheduled_at, template=asked)
    return f"content:{found}"


def values_of(person: Person) -> dict[str, str]:
    """What a message to this person can use."""
    return {"name": person.name, **person.variables} if person.name else dict(person.variables)
