"""Launch: recipients, campaign and idempotency row in one transaction, and the proof that they are queued (R1-R5)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, text

from db.queries import query
from domain import template
from domain.idempotency import content_hash
from domain.people import Person, RejectedRow
from services import audit, devices, wake
from services.copy_people import copy_people
from services.refused import Refused

REPEAT_WITHIN_S = 600
ITEMS = 100  # recipients that the answer lists
INVALID_SAMPLE = 100  # bad rows that the answer lists; all of them stay with the campaign
PHONE_KEPT = 100  # characters of a cell that should have held a number


@dataclass(frozen=True, slots=True)
class Launch:
    """What is asked for. ``device_ids`` None: all that can send. ``leads`` maps a phone to the lead it came from;
    ``headers`` are those of the file and ``phone_header`` the one of the phones, for handing rejected
    rows back. Delays in seconds."""

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
    who: str = "api"


@dataclass(frozen=True, slots=True)
class Launched:
    """Proof of queuing: every number here is counted in the database. ``idempotent``: this is an earlier launch."""

    campaign_id: int
    job_id: UUID
    status: str
    queued_count: int
    sent_count: int
    invalid_count: int
    invalid: list[dict[str, Any]]
    items: list[dict[str, Any]]
    warnings: list[dict[str, Any]]
    idempotent: bool


def find_repeat(db: Connection, request: Launch) -> Launched | None:
    """The same launch of the last ten minutes, so that a repeat is answered without looking at any device."""
    if request.allow_repeat:
        return None
    found = db.execute(
        query("find_repeat"),
        {"workspace_id": request.workspace_id, "key": _content_key(request), "within_s": REPEAT_WITHIN_S},
    ).scalar_one_or_none()
    return None if found is None else describe(db, request, found, idempotent=True)


def launch(db: Connection, request: Launch) -> Launched:
    """Commit a campaign with its recipients, or return the one that the same launch made within ten minutes.

    Raises Refused: NO_RECIPIENTS, ALL_INVALID, WHATSAPP_NOT_CONNECTED, UNKNOWN_DEVICE or BAD_MESSAGE.
    """
    people, rejected = _sort_out(request)
    campaign_id = int(db.execute(text("SELECT nextval(pg_get_serial_sequence('campaigns', 'id'))")).scalar_one())
    if not request.allow_repeat:
        # Of launches at the same instant one gets the row; the others wait here for its commit, and then see it.
        taken = db.execute(
            query("take_repeat"),
            {
                "workspace_id": request.workspace_id,
                "key": _content_key(request),
                "campaign_id": campaign_id,
                "within_s": REPEAT_WITHIN_S,
            },
        ).scalar_one_or_none()
        if taken is None:
            return describe(db, request, _first_launch(db, request), idempotent=True)
    chosen = _choose_devices(db, request)
    _insert_campaign(db, request, campaign_id, chosen)
    copy_people(db, people, request.leads)
    if request.save_leads:
        db.execute(query("save_leads"), {"workspace_id": request.workspace_id})
    queued = int(
        db.execute(
            query("insert_recipients"),
            {"workspace_id": request.workspace_id, "campaign_id": campaign_id, "due_at": request.scheduled_at},
        ).scalar_one()
    )
    _insert_rejected(db, campaign_id, rejected)
    if not queued:
        raise Refused(
            "ALL_INVALID",
            "Everybody on this list is on the never-send list, so nobody would receive it.",
            {"invalid": [_shown_suppressed(person) for person in people[:INVALID_SAMPLE]]},
        )
    counts = {"queued": queued, "rejected": len(rejected)}
    audit.write(db, request.workspace_id, request.who, "launch", f"campaign:{campaign_id}", counts)
    wake.dispatcher(db)
    return describe(db, request, campaign_id, idempotent=False)


def describe(db: Connection, request: Launch, campaign_id: int, *, idempotent: bool) -> Launched:
    """The proof of queuing of a campaign, counted now; ``warnings`` are of people who are sent to all the same."""
    campaign = db.execute(query("describe_launch"), {"id": campaign_id}).one()
    items = db.execute(
        text("SELECT phone, lead_id, status FROM messages WHERE campaign_id = :id ORDER BY id LIMIT :n"),
        {"id": campaign_id, "n": ITEMS},
    ).mappings()
    invalid = db.execute(
        text("SELECT phone, row, reason FROM rejected_rows WHERE campaign_id = :id ORDER BY row LIMIT :n"),
        {"id": campaign_id, "n": INVALID_SAMPLE},
    ).mappings()
    return Launched(
        campaign_id=campaign_id,
        job_id=campaign.job_id,
        status=campaign.status,
        queued_count=campaign.queued_count,
        sent_count=campaign.sent_count,
        invalid_count=campaign.invalid_count,
        invalid=[dict(row) for row in invalid],
        items=[dict(row) for row in items],
        warnings=[
            {"phone": person.phone, "row": person.row, "reason": person.warning}
            for person in request.people
            if person.warning
        ][:INVALID_SAMPLE],
        idempotent=idempotent,
    )


def _sort_out(request: Launch) -> tuple[list[Person], list[RejectedRow]]:
    """Who can be written to; a person who lacks a value of the message joins the rejected rows."""
    try:
        message = template.parse(request.message)
    except template.TemplateError as error:
        raise Refused("BAD_MESSAGE", f"The message cannot be read: {error}.", {"field": "message"}) from None
    if not request.people and not request.rejected:
        raise Refused(
            "NO_RECIPIENTS",
            "There is nobody to send to: give recipients, phones or lead_ids.",
            {"missing_field": "recipients", "selection_count": 0, "workspace_id": request.workspace_id},
        )
    people: list[Person] = []
    rejected = list(request.rejected)
    lacking: Counter[str] = Counter()
    for person in request.people:
        if missing := template.missing(message, _values(person)):
            lacking.update(missing)
            rejected.append(RejectedRow(person.row, person.phone, "missing_variable", _cells(request, person)))
        else:
            people.append(person)
    if not people:
        raise Refused(
            "ALL_INVALID",
            f"None of the {len(rejected)} recipients can be sent to." + _lacked(lacking),
            {
                **({"missing_variables": dict(lacking)} if lacking else {}),
                "invalid": [
                    {"phone": row.raw[:PHONE_KEPT], "row": row.row, "reason": row.reason}
                    for row in rejected[:INVALID_SAMPLE]
                ],
                "invalid_recipients_count": len(rejected),
            },
        )
    return people, rejected


def _lacked(lacking: Mapping[str, int]) -> str:
    """Which variables of the message were not there, and for how many people."""
    return "".join(f" {{{name}}} has no value for {count} of them." for name, count in lacking.items())


def _values(person: Person) -> dict[str, str]:
    return {"name": person.name, **person.variables} if person.name else dict(person.variables)


def _cells(request: Launch, person: Person) -> tuple[str, ...]:
    values = {template.variable_key(name): value for name, value in _values(person).items()}
    values[template.variable_key(request.phone_header)] = person.phone
    return tuple(values.get(template.variable_key(header), "") for header in request.headers)


def _shown_suppressed(person: Person) -> dict[str, object]:
    return {"phone": person.phone, "row": person.row, "reason": "suppressed"}


def _content_key(request: Launch) -> str:
    people = [(person.phone, _values(person)) for person in request.people]
    return "content:" + content_hash(people, message=request.message, scheduled_at=request.scheduled_at)


def _first_launch(db: Connection, request: Launch) -> int:
    """The campaign to which the row belongs that could not be taken. Not asked for its age again: that was judged when
    the row was refused, and may pass ten minutes, or the campaign be cancelled, from one statement to the next."""
    return int(
        db.execute(
            text("SELECT campaign_id FROM idempotency WHERE workspace_id = :workspace_id AND key = :key"),
            {"workspace_id": request.workspace_id, "key": _content_key(request)},
        ).scalar_one()
    )


def _choose_devices(db: Connection, request: Launch) -> list[int]:
    """The devices that the campaign may use. Refused when it is known that none of them can send (R4)."""
    found = devices.for_launch(db, request.workspace_id, request.device_ids)
    unknown = set(request.device_ids or ()) - {device.id for device in found}
    if unknown:
        raise Refused(
            "UNKNOWN_DEVICE", f"There is no device {min(unknown)}.", {"field": "device_ids", "unknown": sorted(unknown)}
        )
    able = [device for device in found if device.may_send]
    # For a time to come it is enough that there are devices: whether they can send is asked when it fires.
    if not able and not (request.scheduled_at is not None and found):
        raise Refused(
            "WHATSAPP_NOT_CONNECTED",
            "No phone can send: connect one and launch again.",
            {"requires_connection": True, "devices": [device.trouble() for device in found]},
        )
    return [device.id for device in (found if request.device_ids is not None or not able else able)]


def _insert_campaign(db: Connection, request: Launch, campaign_id: int, device_ids: Sequence[int]) -> None:
    db.execute(
        query("insert_campaign"),
        {
            "id": campaign_id,
            "workspace_id": request.workspace_id,
            "title": request.title or f"Broadcast {campaign_id}",
            "message": request.message,
            "scheduled_at": request.scheduled_at,
            "min_delay_s": request.min_delay_s,
            "max_delay_s": request.max_delay_s,
            "job_id": uuid4(),
            "headers": json.dumps(list(request.headers)),
        },
    )
    db.execute(
        text("INSERT INTO campaign_devices (campaign_id, device_id) SELECT :id, unnest(CAST(:devices AS bigint[]))"),
        {"id": campaign_id, "devices": list(device_ids)},
    )


def _insert_rejected(db: Connection, campaign_id: int, rejected: Sequence[RejectedRow]) -> None:
    if not rejected:
        return
    db.execute(
        text(
            "INSERT INTO rejected_rows (campaign_id, row, phone, reason, cells)"
            " SELECT :id, * FROM unnest(CAST(:rows AS int[]), CAST(:phones AS text[]), CAST(:reasons AS text[]),"
            "   CAST(:cells AS jsonb[])) ON CONFLICT DO NOTHING"
        ),
        {
            "id": campaign_id,
            "rows": [row.row for row in rejected],
            "phones": [row.raw[:PHONE_KEPT] for row in rejected],
            "reasons": [row.reason for row in rejected],
            "cells": [
                json.dumps({"cells": [cell[:1000] for cell in row.cells], "first_row": row.first_row})
                for row in rejected
            ],
        },
    )
