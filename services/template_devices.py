"""From which devices a template of Meta's can go: those whose business account has it approved (R28)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from db.queries import query
from domain import cloud_filling
from services import templates
from services.devices import Candidate
from services.refused import Refused
from services.templates import APPROVED


@dataclass(frozen=True, slots=True)
class Held:
    """A template as the business account of a device has it. ``status`` is Meta's word; None: it does not have it."""

    device_id: int
    status: str | None
    components: list[dict[str, Any]] | None


def held(db: Connection, workspace_id: int, name: str, language: str) -> list[Held]:
    """How each official number has this template, in the order of their ids."""
    rows = db.execute(
        query("template_devices"), {"workspace_id": workspace_id, "name": name, "language": language}
    ).mappings()
    return [Held(**row) for row in rows]


def components_of(
    db: Connection, workspace_id: int, asked: Mapping[str, Any], device_ids: Sequence[int] | None
) -> list[dict[str, Any]]:
    """A template's parts, as the chosen devices (None: all) would send them now, or else as anybody has them. Where accounts
    have different ones of one name, it is that of most devices.

    ``asked`` has its name and language. Raises Refused, TEMPLATE_NOT_THERE.
    """
    chosen = set(device_ids or ())
    usable = templates.one(db, workspace_id, asked["name"], asked["language"])
    most = set() if usable is None else set(usable.device_ids)
    found = [each for each in held(db, workspace_id, asked["name"], asked["language"]) if each.components is not None]
    if not found:
        raise _not_there(asked)
    best = min(
        found,
        key=lambda each: (
            each.status != APPROVED,
            bool(chosen) and each.device_id not in chosen,
            each.device_id not in most,
        ),
    )
    return best.components or []


def that_can_send(
    db: Connection, workspace_id: int, template: Mapping[str, Any], found: Sequence[Candidate], *, chosen: bool
) -> list[Candidate]:
    """Those of ``found`` from which this template can go as it was filled. When they were ``chosen``, all of them must be.

    Raises Refused: NOT_OFFICIAL, TEMPLATE_NOT_THERE, TEMPLATE_NOT_APPROVED, or TEMPLATE_CHANGED when Meta has it with other
    parts than those that were filled.
    """
    if not found:
        return []
    other = next((device for device in found if not device.official), None)
    if chosen and other is not None:
        raise Refused(
            "NOT_OFFICIAL",
            "A template goes out from official numbers only, and {phone} is none.",
            {"field": "device_ids", "device_id": other.id},
            phone=other.name,
        )
    having = {each.device_id: each for each in held(db, workspace_id, template["name"], template["language"])}
    official = [device for device in found if device.id in having]
    approved = [device for device in official if having[device.id].status == APPROVED]
    if not approved or (chosen and len(approved) < len(official)):
        raise _not_approved(template, [device for device in official if device not in approved], having)
    able = [
        device for device in approved if cloud_filling.same(having[device.id].components or [], template["components"])
    ]
    if not able or (chosen and len(able) < len(approved)):
        changed = next(device for device in approved if device not in able)
        raise Refused(
            "TEMPLATE_CHANGED",
            "The template {template} has another text at {phone} than the one that was filled in: choose it again.",
            {"field": "template", "device_id": changed.id},
            template=template["name"],
            phone=changed.name,
        )
    return able


def _not_approved(template: Mapping[str, Any], without: Sequence[Candidate], having: Mapping[int, Held]) -> Refused:
    with_it = next((device for device in without if having[device.id].status is not None), None)
    if with_it is None:
        return _not_there(template, without[0] if without else None)
    return Refused(
        "TEMPLATE_NOT_APPROVED",
        "The template {template} cannot be sent from {phone}: Meta has not approved it there, or not any more ({state}).",
        {"field": "template", "device_id": with_it.id, "state": having[with_it.id].status},
        template=template["name"],
        phone=with_it.name,
    )


def _not_there(template: Mapping[str, Any], device: Candidate | None = None) -> Refused:
    named = {"template": template["name"], "tongue": template["language"]}
    if device is None:
        return Refused(
            "TEMPLATE_NOT_THERE",
            "There is no template {template} in the language {tongue}: synchronise the templates, or choose another.",
            {"field": "template"},
            **named,
        )
    return Refused(
        "TEMPLATE_NOT_THERE",
        "The account of {phone} has no template {template} in the language {tongue}.",
        {"field": "template", "device_id": device.id},
        phone=device.name,
        **named,
    )
