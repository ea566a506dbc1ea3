"""Send a test: the message of a draft as one person would get it, to one's own number and outside the campaign's counts."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from domain import template
from services import audit, devices, draft_people, drafts, launch_devices, single, template_devices, template_filling
from services.refused import Refused
from services.single import Queued


def send_test(
    db: Connection,
    workspace_id: int,
    draft_id: int,
    *,
    number: str,
    row: int | None,
    device_id: int | None,
    default_country: str,
    who: str,
) -> Queued:
    """Queue the message with the values of the person of ``row`` (None: without any), from ``device_id`` or, None, from the
    first of the draft's devices that can send.

    Raises Refused: NOT_FOUND, BAD_MESSAGE, MISSING_VALUE, WHATSAPP_NOT_CONNECTED, what is wrong with its template, or as
    ``single.send`` does.
    """
    draft = drafts.one(db, workspace_id, draft_id)
    if draft is None:
        raise drafts.not_found()
    body, template = _content(db, workspace_id, draft, row)
    chosen = device_id
    if chosen is None:
        chosen = _able(db, workspace_id, draft, single.checked_number(number, default_country))
    queued = single.send(
        db,
        workspace_id,
        device_id=chosen,
        number=number,
        body=body,
        default_country=default_country,
        template=template,
    )
    audit.write(db, workspace_id, who, "send_test", f"campaign:{draft_id}", {"message": queued.id, "device": chosen})
    return queued


def _content(
    db: Connection, workspace_id: int, draft: drafts.Draft, row: int | None
) -> tuple[str, dict[str, Any] | None]:
    """The message as this person would get it, in words and, by a template of Meta's, as that is stored."""
    person = None if row is None else draft_people.one(db, draft.id, row)
    values = {} if person is None else person.variables
    if draft.template is not None:
        template_filling.check(db, workspace_id, draft.template)
    elif not draft.message.strip():
        raise Refused("BAD_MESSAGE", "The message has no text yet.", {"field": "message"})
    try:
        # Of a template, too, first the whole: it names all that the person lacks.
        body = template.render(template.parse(draft.message), values)
        if draft.template is None:
            return body, None
        filled = template_filling.rendered(draft.template, values)
        return template_filling.literal_words(filled), filled
    except template.TemplateError as error:
        raise Refused(
            "BAD_MESSAGE", "The message cannot be read: {error}.", {"field": "message"}, error=str(error)
        ) from None
    except template.MissingValuesError as error:
        raise Refused(
            "MISSING_VALUE",
            "This person has no value for {variables}: choose another one.",
            {"names": error.names},
            variables=", ".join(f"{{{name}}}" for name in error.names),
        ) from None


def _able(db: Connection, workspace_id: int, draft: drafts.Draft, e164: str) -> int:
    """The first of the draft's devices that can send it; for free text of official numbers one to which this person has
    written, if there is one."""
    chosen = bool(draft.device_ids)
    found = devices.for_launch(db, workspace_id, draft.device_ids or None)
    if draft.template is not None:
        fitting = template_devices.that_can_send(db, workspace_id, draft.template, found, chosen=chosen)
    else:
        fitting = launch_devices.for_text(found, chosen=chosen)
    able = [device for device in fitting if device.ready]
    if not able:
        raise Refused(
            "WHATSAPP_NOT_CONNECTED",
            "No phone can send: connect one and try again.",
            {"requires_connection": True, "devices": [device.trouble() for device in found]},
        )
    free = single.open_windows(db, [device.id for device in able], e164)
    return next((device.id for device in able if device.id in free), able[0].id)
