"""What a template of Meta's is filled with, as it is stored with a draft, campaign or message (R28).

Asked for is ``{"name", "language", "values": {place: text}, "media_id"}``; stored is the same with ``components``, the
template's parts as they were when it was filled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

from domain import cloud_filling, cloud_template
from domain import template as ours
from domain.cloud_template import CannotBeSentError, HeaderKind
from domain.limits import LONGEST_MESSAGE
from domain.text import storable
from services import template_devices
from services.refused import Refused

_FIELD = {"field": "template"}


def content_of(template: Mapping[str, Any]) -> dict[str, Any]:
    """What makes two of them the same content: all but the parts, which are Meta's."""
    return {name: template.get(name) for name in ("name", "language", "values", "media_id")}


def in_words(template: Mapping[str, Any]) -> str:
    """The message of a stored template as people read it, as a template of ours (domain/template.py)."""
    return cloud_template.in_words(template["components"], template["values"])


def stored(
    db: Connection, workspace_id: int, asked: Mapping[str, Any], device_ids: Sequence[int] | None
) -> dict[str, Any]:
    """What was asked for with the template's parts as they are now. It need not be filled yet.

    Raises Refused: TEMPLATE_NOT_THERE, TEMPLATE_UNSUPPORTED, UNKNOWN_PLACE, UNKNOWN_MEDIA, WRONG_FILE, INVALID.
    """
    components = template_devices.components_of(db, workspace_id, asked, device_ids)
    template = {**content_of(asked), "components": components}
    header_file = _asked_for(template).header_file
    unknown = cloud_filling.unknown(components, template["values"])
    if unknown:
        raise Refused(
            "UNKNOWN_PLACE",
            "The template {template} has no place {place}.",
            {**_FIELD, "places": unknown},
            template=template["name"],
            place=unknown[0],
        )
    for value in template["values"].values():
        if len(value) > LONGEST_MESSAGE or not storable(value):
            raise Refused("INVALID", "What fills a place of the template is too long, or no text.", _FIELD)
    if template["media_id"] is not None:
        _check_file(db, workspace_id, template["media_id"], header_file)
    return template


def check(db: Connection, workspace_id: int, template: Mapping[str, Any]) -> None:
    """A stored template can go out: all of it is filled.

    Raises Refused: BAD_MESSAGE, TEMPLATE_NOT_FILLED with the ``places``, TEMPLATE_NEEDS_FILE, UNKNOWN_MEDIA, WRONG_FILE or
    TEMPLATE_UNSUPPORTED.
    """
    header_file = _asked_for(template).header_file
    try:
        unfilled = cloud_filling.unfilled(template["components"], template["values"])
    except ours.TemplateError as error:
        raise Refused("BAD_MESSAGE", "The message cannot be read: {error}.", _FIELD, error=str(error)) from None
    if unfilled:
        raise Refused(
            "TEMPLATE_NOT_FILLED",
            "Something must always stand in the place {place} of the template {template}: fill it in.",
            {**_FIELD, "places": unfilled},
            place=unfilled[0],
            template=template["name"],
        )
    if template["media_id"] is not None:
        _check_file(db, workspace_id, template["media_id"], header_file)
    elif header_file is not None:
        raise Refused(
            "TEMPLATE_NEEDS_FILE",
            "The header of the template {template} needs a file: choose it.",
            {**_FIELD, "kind": header_file},
            template=template["name"],
        )


def literal_words(template: Mapping[str, Any]) -> str:
    """The message of a stored template whose values are the same for everybody, as people read it."""
    return ours.render(ours.parse(in_words(template)), {})


def rendered(template: Mapping[str, Any], person: Mapping[str, str]) -> dict[str, Any]:
    """A stored template with one person's values in its places, which are then the same for everybody.

    Raises template.MissingValuesError.
    """
    values = {
        key: cloud_filling.literal(cloud_template.value_of(key, template["values"], person))
        for key in template["values"]
    }
    return {**template, "values": values}


def _asked_for(template: Mapping[str, Any]) -> cloud_template.Asked:
    try:
        return cloud_template.asked(template["components"])
    except CannotBeSentError as error:
        raise Refused(
            "TEMPLATE_UNSUPPORTED",
            "The template {template} cannot be sent from here: {fault}.",
            _FIELD,
            template=template["name"],
            fault=str(error),
        ) from None


def _check_file(db: Connection, workspace_id: int, media_id: int, kind: HeaderKind | None) -> None:
    mimetype = db.execute(
        text("SELECT mimetype FROM media WHERE id = :id AND workspace_id = :workspace_id"),
        {"id": media_id, "workspace_id": workspace_id},
    ).scalar_one_or_none()
    if mimetype is None:
        raise Refused("UNKNOWN_MEDIA", "The file of the template is not there: upload it again.", _FIELD)
    if kind is None or not cloud_filling.fits(kind, mimetype):
        raise Refused(
            "WRONG_FILE",
            "A file of this kind cannot be in the header of this template.",
            {**_FIELD, "mimetype": mimetype, "kind": kind},
        )
