"""Launch: recipients, campaign and idempotency row in one transaction, and the proof that they are queued (R1-R5)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, text

from db.queries import query
from domain.people import Person
from services import audit, launch_content, launch_devices, launch_people, wake
from services.copy_people import copy_people
from services.launch_content import Content
from services.launch_people import INVALID_SAMPLE
from services.launch_request import Launch, content_key
from services.refused import Refused
from services.rejected import copy_rejected

REPEAT_WITHIN_S = 600
ITEMS = 100  # recipients that the answer lists


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
        {"workspace_id": request.workspace_id, "key": content_key(request), "within_s": REPEAT_WITHIN_S},
    ).scalar_one_or_none()
    return None if found is None else describe(db, found, request.people, idempotent=True)


def launch(db: Connection, request: Launch) -> Launched:
    """Commit a campaign with its recipients, or return the one that the same launch made within ten minutes: a draft
    then stays a draft.

    Raises Refused: NO_RECIPIENTS, ALL_INVALID, WHATSAPP_NOT_CONNECTED, UNKNOWN_DEVICE, BAD_MESSAGE, MIXED_KINDS,
    OUTSIDE_WINDOW, or what is wrong with its template (services/template_filling.py, services/template_devices.py).
    """
    take_time(db)
    campaign_id = _new_id(db) if request.draft_id is None else request.draft_id
    if not request.allow_repeat:
        # Of launches at the same instant one gets the row; the others wait here for its commit, and then see it.
        row = {"workspace_id": request.workspace_id, "key": content_key(request), "campaign_id": campaign_id}
        taken = db.execute(query("take_repeat"), {**row, "within_s": REPEAT_WITHIN_S}).scalar_one_or_none()
        if taken is None:
            return describe(db, _first_launch(db, row), request.people, idempotent=True)
    candidates = launch_devices.found(db, request.workspace_id, request.device_ids)
    content = launch_content.of(db, request, candidates)
    people, lacking = launch_people.sort_out(request, content.message)
    device_ids = launch_devices.that_launch(
        candidates, content.devices, chosen=request.device_ids is not None, later=request.scheduled_at is not None
    )
    if request.draft_id is None:
        _insert_campaign(db, request, campaign_id, content)
    else:
        _move_draft(db, request, campaign_id)
    _use_devices(db, campaign_id, device_ids)
    copy_people(db, people, request.leads)
    if content.needs_windows:
        launch_devices.check_windows(db, request.workspace_id, device_ids, request.scheduled_at)
    if request.save_leads:
        db.execute(query("save_leads"), {"workspace_id": request.workspace_id})
    whose = {"workspace_id": request.workspace_id, "campaign_id": campaign_id, "due_at": request.scheduled_at}
    queued = int(db.execute(query("insert_recipients"), whose).scalar_one())
    # Those of a draft stand in the database already.
    copy_rejected(db, campaign_id, lacking if request.draft_id is not None else [*request.rejected, *lacking])
    if not queued:
        raise Refused(
            "ALL_INVALID",
            "Everybody on this list is on the never-send list, so nobody would receive it.",
            {
                "invalid": [
                    {"phone": person.phone, "row": person.row, "reason": "suppressed"}
                    for person in people[:INVALID_SAMPLE]
                ]
            },
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


def _first_launch(db: Connection, named: Mapping[str, object]) -> int:
    """The campaign to which the row belongs that could not be taken. Not asked for its age again: that was judged when
    the row was refused, and may pass ten minutes, or the campaign be cancelled, from one statement to the next."""
    return int(
        db.execute(
            text("SELECT campaign_id FROM idempotency WHERE workspace_id = :workspace_id AND key = :key"), named
        ).scalar_one()
    )


def _new_id(db: Connection) -> int:
    return int(db.execute(text("SELECT nextval(pg_get_serial_sequence('campaigns', 'id'))")).scalar_one())


def _insert_campaign(db: Connection, request: Launch, campaign_id: int, content: Content) -> None:
    db.execute(
        query("insert_campaign"),
        {
            "id": campaign_id,
            "workspace_id": request.workspace_id,
            "title": _title(request, campaign_id),
            "message": content.message,
            "template": None if content.template is None else json.dumps(content.template),
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
