"""Send a test: the message of a draft as one person would get it, to one's own number and outside the campaign's counts."""

from __future__ import annotations

from sqlalchemy import Connection

from domain import template
from services import audit, devices, draft_people, drafts, single
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

    Raises Refused: NOT_FOUND, BAD_MESSAGE, MISSING_VALUE, WHATSAPP_NOT_CONNECTED, or as ``single.send`` does.
    """
    draft = drafts.one(db, workspace_id, draft_id)
    if draft is None:
        raise drafts.not_found()
    body = _body(db, draft, row)
    chosen = device_id if device_id is not None else _able(db, workspace_id, draft.device_ids or None)
    queued = single.send(db, workspace_id, device_id=chosen, number=number, body=body, default_country=default_country)
    audit.write(db, workspace_id, who, "send_test", f"campaign:{draft_id}", {"message": queued.id, "device": chosen})
    return queued


def _body(db: Connection, draft: drafts.Draft, row: int | None) -> str:
    person = None if row is None else draft_people.one(db, draft.id, row)
    if not draft.message.strip():
        raise Refused("BAD_MESSAGE", "The message has no text yet.", {"field": "message"})
    try:
        return template.render(template.parse(draft.message), {} if person is None else person.variables)
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


def _able(db: Connection, workspace_id: int, device_ids: list[int] | None) -> int:
    found = devices.for_launch(db, workspace_id, device_ids)
    able = next((device for device in found if device.ready), None)
    if able is None:
        raise Refused(
            "WHATSAPP_NOT_CONNECTED",
            "No phone can send: connect one and try again.",
            {"requires_connection": True, "devices": [device.trouble() for device in found]},
        )
    return able.id
