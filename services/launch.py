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
from services.rejected import PHONE_KEPT, copy_rejected

REPEAT_WITHIN_S = 600
ITEMS = 100  # recipients that the answer lists
INVALID_SAMPLE = 100  # bad rows that the answer lists; all of them stay with the campaign


@dataclass(frozen=True, slots=True)
class Launch:
    """What is asked for. ``device_ids`` None: all that can send. ``leads`` maps a phone to the lead it came from;
    ``headers`` are those of the file and ``phone_header`` the one of the phones, for handing rejected
    rows back. ``draft_id`` is the draft that this is the launch of, locked by the caller. Delays in seconds."""

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
    return None if found is None else describe(db, found, request.people, idempotent=True)


def launch(db: Connection, request: Launch) -> Launched:
    """Commit a campaign with its recipients, or return the one that the same launch made within ten minutes: a draft
    then stays a draft. Raises Refused: NO_RECIPIENTS, ALL_INVALID, WHATSAPP_NOT_CONNECTED, UNKNOWN_DEVICE or BAD_MESSAGE.
    """
    take_time(db)
    people, lacking = _sort_out(request)
    campaign_id = _new_id(db) if request.draft_id is None else request.draft_id
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
            return describe(db, _first_launch(db, request), request.people, idempotent=True)
    chosen = _choose_devices(db, request)
    if request.draft_id is None:
        _insert_campaign(db, request, campaign_id)
    else:
        _move_draft(db, request, campaign_id)
    _use_devices(db, campaign_id, chosen)
    copy_people(db, people, request.leads)
    if request.save_leads:
        db.execute(query("save_leads"), {"workspace_id": request.workspace_id})
    queued = int(
        db.execute(
            query("insert_recipients"),
            {"workspace_id": request.workspace_id, "campaign_id": campaign_id, "due_at": request.scheduled_at},
        ).scalar_one()
    )
    # Those of a draft stand in the database already.
    copy_rejected(db, campaign_id, lacking if request.draft_id is not None else [*request.rejected, *lacking])
    if not queued:
        raise Refused(
            "ALL_INVALID",
            "Everybody on this list is on the never-send list, so nobody would receive it.",
            {"invalid": [_shown_suppressed(person) for person in people[:INVALID_SAMPLE]]},
        )
    counts = {"queued": queued, "rejected": len(request.rejected) + len(lacking)}
    audit.write(db, request.workspace_id, request.who, "launch", f"campaign:{campaign_id}", counts)
    wake.dispatcher(db)
    return describe(db, campaign_id, request.people, idempotent=False)


def describe(db: Connection, campaign_id: int, people: Sequence[Person], *, idempotent: bool) -> Launched:
    """The proof of queuing of a campaign, counted now; ``warnings`` are of those of ``people`` who are sent to all the
    same."""
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
            {"phone": person.phone, "row": person.row, "reason": person.warning} for person in people if person.warning
        ][:INVALID_SAMPLE],
        idempotent=idempotent,
    )


def take_time(db: Connection) -> None:
    """This transaction may look at a million people between two statements, which takes longer than others may idle.

    It holds up nothing that is sent: what it has locked is its own draft and content.
    """
    db.execute(text("SET LOCAL idle_in_transaction_session_timeout = '60s'"))


def _sort_out(request: Launch) -> tuple[list[Person], list[RejectedRow]]:
    """Who can be written to, and rejected rows of those who lack a value of the message."""
    try:
        message = template.parse(request.message)
    except template.TemplateError as error:
        raise Refused(
            "BAD_MESSAGE", "The message cannot be read: {error}.", {"field": "message"}, error=str(error)
        ) from None
    if not request.people and not request.rejected:
        raise Refused(
            "NO_RECIPIENTS",
            "There is nobody to send to: give recipients, phones or lead_ids.",
            {"missing_field": "recipients", "selection_count": 0, "workspace_id": request.workspace_id},
        )
    people: list[Person] = []
    lacking: list[RejectedRow] = []
    lacked: Counter[str] = Counter()
    for person in request.people:
        if missing := template.missing(message, _values(person)):
            lacked.update(missing)
            lacking.append(RejectedRow(person.row, person.phone, "missing_variable", _cells(request, person)))
        else:
            people.append(person)
    if not people:
        rejected = [*request.rejected, *lacking]
        raise Refused(
            "ALL_INVALID",
            "None of the {count} recipients can be sent to.{lacked}",
            {
                **({"missing_variables": dict(lacked)} if lacked else {}),
                "invalid": [
                    {"phone": row.raw[:PHONE_KEPT], "row": row.row, "reason": row.reason}
                    for row in rejected[:INVALID_SAMPLE]
                ],
                "invalid_recipients_count": len(rejected),
            },
            count=len(rejected),
            lacked=_lacked(lacked),
        )
    return people, lacking


def _lacked(counts: Mapping[str, int]) -> str:
    """Which variables of the message were not there, and for how many people."""
    return "".join(f" {{{name}}} has no value for {count} of them." for name, count in counts.items())


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
            "UNKNOWN_DEVICE",
            "There is no device {id}.",
            {"field": "device_ids", "unknown": sorted(unknown)},
            id=min(unknown),
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


def _new_id(db: Connection) -> int:
    return int(db.execute(text("SELECT nextval(pg_get_serial_sequence('campaigns', 'id'))")).scalar_one())


def _insert_campaign(db: Connection, request: Launch, campaign_id: int) -> None:
    db.execute(
        query("insert_campaign"),
        {
            "id": campaign_id,
            "workspace_id": request.workspace_id,
            "title": _title(request, campaign_id),
            "message": request.message,
            "scheduled_at": request.scheduled_at,
            "min_delay_s": request.min_delay_s,
            "max_delay_s": request.max_delay_s,
            "job_id": uuid4(),
            "headers": json.dumps(list(request.headers)),
            "phone_header": request.phone_header,
            "device_ids": None if request.device_ids is None else list(request.device_ids),
            "save_leads": request.save_leads,
        },
    )


def _move_draft(db: Connection, request: Launch, campaign_id: int) -> None:
    """All that a campaign is stands in its draft already."""
    db.execute(
        text(
            "UPDATE campaigns SET title = :title, status ="
            " CASE WHEN scheduled_at > clock_timestamp() THEN 'scheduled' ELSE 'accepted' END"
            " WHERE id = :id AND status = 'draft'"
        ),
        {"id": campaign_id, "title": _title(request, campaign_id)},
    )


def _title(request: Launch, campaign_id: int) -> str:
    return request.title or f"Broadcast {campaign_id}"


def _use_devices(db: Connection, campaign_id: int, device_ids: Sequence[int]) -> None:
    db.execute(
        text("INSERT INTO campaign_devices (campaign_id, device_id) SELECT :id, unnest(CAST(:devices AS bigint[]))"),
        {"id": campaign_id, "devices": list(device_ids)},
    )
