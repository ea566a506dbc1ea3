"""Launching broadcasts, from JSON or from a CSV file, with the connection check before it (R2-R5)."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, UploadFile
from sqlalchemy import Connection

from api.context import WHO, Context, Here, Key, keyed
from api.launch_bodies import REFUSALS, Broadcast, How, LaunchAnswer, asked_of
from api.launch_forms import how_of_form, only_known_fields
from api.recipients import Recipients, from_csv, from_items
from api.text import Text
from domain.phone import masked
from services import connection_check, launch, repeats
from services.find_leads import FoundLead, find_leads
from services.launch import Launched
from services.launch_request import Launch
from services.workspaces import Workspace

log = logging.getLogger("fanfare.api")
router = APIRouter(tags=["Broadcasts"])

MASKED = 5  # invalid numbers in the log


@router.post("/api/broadcasts", status_code=202, response_model=LaunchAnswer, responses=REFUSALS)
def launch_broadcast(body: Broadcast, here: Here, key: Key) -> Any:
    """Launch a broadcast.

    The same content launched again within ten minutes answers with the first broadcast, `idempotent: true`, unless
    `allow_repeat` is set. Refused when it is known that no chosen device can send; a bridge that does not answer does
    not stop a launch.
    """
    items = body.recipients + body.phones

    def recipients(workspace: Workspace, leads: Mapping[int, FoundLead]) -> Recipients:
        return from_items(items, body.lead_ids, leads, workspace.default_country)

    return _answered(here, body, recipients, key, "/api/broadcasts", asked_of(body), lead_ids=body.lead_ids)


@router.post(
    "/api/broadcasts/csv",
    status_code=202,
    response_model=LaunchAnswer,
    responses=REFUSALS,
    dependencies=[Depends(only_known_fields)],
)
def launch_csv(
    here: Here,
    key: Key,
    file: Annotated[UploadFile, File(description="The CSV file: a header row, then one person a row; at most 50 MB")],
    message: Annotated[
        str | None, Form(description="The text; `{column|fallback}` is replaced by the person's cell")
    ] = None,
    template: Annotated[
        str | None, Form(description="A template in the place of the message: JSON as in `POST /api/broadcasts`")
    ] = None,
    title: Annotated[str | None, Form()] = None,
    encoding: Annotated[Text | None, Form(description="Needed for other encodings than UTF-8 and UTF-16")] = None,
    delimiter: Annotated[str | None, Form(description="Comma, semicolon or tab; found by itself")] = None,
    phone_column: Annotated[Text | None, Form(description="Its header; found by itself when it is a usual one")] = None,
    name_column: Annotated[Text | None, Form(description="Its header; found by itself when it is a usual one")] = None,
    device_ids: Annotated[str | None, Form(description="Separated by commas", examples=["1,2"])] = None,
    min_delay_s: Annotated[str | None, Form()] = None,
    max_delay_s: Annotated[str | None, Form()] = None,
    scheduled_at: Annotated[str | None, Form()] = None,
    allow_repeat: Annotated[str | None, Form()] = None,
    save_leads: Annotated[bool, Form(description="Save the people as leads too")] = False,
) -> Any:
    """Launch a broadcast to the people of a CSV file.

    A fault of the file (encoding, header) refuses it, with 422 and its own `error_code`; rows that cannot be used are
    set aside with their row number and reason, and the others go. The other fields are those of `POST /api/broadcasts`.
    """
    how = how_of_form(
        message=message,
        template=template,
        title=title,
        device_ids=device_ids.split(",") if device_ids is not None else None,
        min_delay_s=min_delay_s,
        max_delay_s=max_delay_s,
        scheduled_at=scheduled_at,
        allow_repeat=allow_repeat,
    )
    data = file.file.read()
    columns = {
        "encoding": encoding,
        "delimiter": delimiter,
        "phone_column": phone_column,
        "name_column": name_column,
    }

    def recipients(workspace: Workspace, _: Mapping[int, FoundLead]) -> Recipients:
        return from_csv(data, workspace.default_country, **columns)

    asked = [hashlib.sha256(data).hexdigest(), asked_of(how), columns, save_leads]
    return _answered(here, how, recipients, key, "/api/broadcasts/csv", asked, save_leads=save_leads)


def _answered(
    here: Context,
    how: How,
    recipients: Callable[[Workspace, Mapping[int, FoundLead]], Recipients],
    key: str,
    path: str,
    asked: Any,
    *,
    lead_ids: list[int] | None = None,
    save_leads: bool = False,
) -> repeats.Answer:
    """Launch once: no transaction is open while people are read or bridges asked."""
    workspace, leads = here.run(lambda db: _looked_up(here, db, lead_ids or []))
    request_key = keyed(workspace.id, key, path, asked)
    earlier = here.run(lambda db: repeats.find(db, request_key))
    if earlier is not None:
        return earlier
    request = _request(how, workspace.id, recipients(workspace, leads), save_leads=save_leads)
    _check_connection(here, request)
    launched: list[Launched] = []

    def launch_once(db: Connection) -> repeats.Answer:
        launched.clear()  # an earlier try of this transaction came to nothing

        def do() -> repeats.Answer:
            launched.append(launch.launch(db, request))
            return _answer(launched[0])

        return repeats.once(db, request_key, do)

    answer = here.run(launch_once)
    for new in launched:
        _log(new)
    return answer


def _looked_up(here: Context, db: Connection, lead_ids: list[int]) -> tuple[Workspace, Mapping[int, FoundLead]]:
    workspace = here.workspace(db)
    return workspace, find_leads(db, workspace.id, lead_ids) if lead_ids else {}


def _request(how: How, workspace_id: int, found: Recipients, *, save_leads: bool) -> Launch:
    return Launch(
        workspace_id=workspace_id,
        message=how.message,
        template=None if how.template is None else how.template.model_dump(),
        people=found.people,
        rejected=found.rejected,
        title=how.title,
        device_ids=how.device_ids,
        min_delay_s=how.min_delay_s,
        max_delay_s=how.max_delay_s,
        scheduled_at=how.scheduled_at,
        allow_repeat=how.allow_repeat,
        save_leads=save_leads,
        leads=found.leads,
        headers=found.headers,
        phone_header=found.phone_header,
        who=WHO,
    )


def _check_connection(here: Context, request: Launch) -> None:
    """Ask the chosen devices' bridges now, and write down what they say; the launch then decides by that (R4).

    Not for a repeat, which is answered without looking at any device, nor for a time to come, when it is asked again.
    """
    later = request.scheduled_at is not None and request.scheduled_at > datetime.now(UTC)
    if later or not request.people or here.run(lambda db: launch.find_repeat(db, request)) is not None:
        return
    connection_check.check(
        here.run,
        here.bridges.look,
        request.workspace_id,
        request.device_ids,
        interval_s=here.settings.health_interval_s,
    )


def _answer(launched: Launched) -> repeats.Answer:
    return {
        "success": True,
        "broadcast_id": launched.campaign_id,
        "job_id": str(launched.job_id),
        "status": launched.status,
        "queued_count": launched.queued_count,
        "sent_count": launched.sent_count,
        "invalid_recipients_count": launched.invalid_count,
        "invalid": launched.invalid,
        "items": launched.items,
        "warnings": launched.warnings,
        "idempotent": launched.idempotent,
    }


def _log(launched: Launched) -> None:
    log.info(
        "[WA_BROADCAST] broadcast=%d job=%s %s queued=%d invalid=%d first invalid: %s",
        launched.campaign_id,
        launched.job_id,
        "repeated" if launched.idempotent else "launched",
        launched.queued_count,
        launched.invalid_count,
        ", ".join(f"{masked(row['phone'])} {row['reason']}" for row in launched.invalid[:MASKED]) or "none",
    )
