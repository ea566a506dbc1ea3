"""What Meta checks in a message before it takes it; a code of its own for what is wrong."""

from __future__ import annotations

import re
from typing import Any

from graph_errors import Told, error
from graph_world import Number, World

LONGEST_TEXT = 4096
FILES = ("image", "video", "audio", "document", "sticker")
_PLACE = re.compile(r"\{\{\s*([^{}\s]+)\s*\}\}")
_UGLY = re.compile(r"[\n\t]| {5,}")
_STATUSES = {"APPROVED": None, "PAUSED": 132015, "DISABLED": 132016}


def wrong(world: World, number: Number, payload: dict[str, Any]) -> Told | None:
    """The error that Meta answers at once, or None."""
    if payload.get("messaging_product") != "whatsapp":
        return error(100, "The parameter messaging_product is required.")
    if not re.fullmatch(r"\+?[1-9]\d{6,14}", str(payload.get("to", ""))):
        return error(131009, "Parameter to is not a phone number")
    if len(str(payload.get("biz_opaque_callback_data", ""))) > 512:
        return error(100, "Param biz_opaque_callback_data is too long")
    kind = payload.get("type", "text")
    content = payload.get(kind)
    if not isinstance(content, dict):
        return error(131008, f"The parameter {kind} is required")
    if kind == "text":
        return _wrong_text(content)
    if kind == "template":
        return _wrong_template(world, number, content)
    if kind in FILES:
        return _wrong_file(world, number, content)
    return error(131051, f"{kind} is not a type of message")


def _wrong_text(content: dict[str, Any]) -> Told | None:
    if not content.get("body"):
        return error(131008, "The parameter text.body is required")
    if len(content["body"]) > LONGEST_TEXT:
        return error(100, f"Param text['body'] must be at most {LONGEST_TEXT} characters long.")
    return None


def _wrong_file(world: World, number: Number, content: dict[str, Any]) -> Told | None:
    upload = world.uploads.get(str(content.get("id")))
    if upload is None or upload.number_id != number.id:
        return error(100, "Param ['id'] is not a valid whatsapp business account media attachment ID")
    return None


def _wrong_template(world: World, number: Number, content: dict[str, Any]) -> Told | None:
    language = (content.get("language") or {}).get("code")
    found = [
        template
        for template in world.templates[number.business_id]
        if (template["name"], template["language"]) == (content.get("name"), language)
    ]
    if not found or found[0]["status"] not in _STATUSES:
        return error(132001, f"template name ({content.get('name')}) does not exist in {language}")
    if (refused := _STATUSES[found[0]["status"]]) is not None:
        return error(refused)
    given = content.get("components") or []
    for component in found[0]["components"]:
        told = _wrong_component(world, number, component, given)
        if told is not None:
            return told
    return None


def _wrong_component(
    world: World, number: Number, component: dict[str, Any], given: list[dict[str, Any]]
) -> Told | None:
    kind = component["type"].lower()
    if kind == "buttons":
        return _wrong_buttons(component["buttons"], given)
    parameters = next((each["parameters"] for each in given if each["type"].lower() == kind), [])
    file = str(component.get("format", "TEXT")).lower()
    if kind == "header" and file in FILES:
        if len(parameters) != 1 or parameters[0].get("type") != file:
            return error(132012, f"header: Format mismatch, expected {file.upper()}")
        return _wrong_file(world, number, parameters[0][file])
    places = list(dict.fromkeys(_PLACE.findall(component.get("text", ""))))
    if len(places) != len(parameters):
        return error(132000, f"{kind}: number of localizable_params ({len(parameters)}) does not match ({len(places)})")
    names = {each.get("parameter_name") for each in parameters}
    if places and not places[0].isdigit() and names != set(places):
        return error(132012, f"{kind}: Parameter name is missing or not there")
    return _wrong_texts(parameters)


def _wrong_buttons(buttons: list[dict[str, Any]], given: list[dict[str, Any]]) -> Told | None:
    filled = {str(each["index"]): each for each in given if each["type"].lower() == "button"}
    wanted = {
        str(index): button
        for index, button in enumerate(buttons)
        if button["type"] == "COPY_CODE" or _PLACE.search(button.get("url", ""))
    }
    if filled.keys() != wanted.keys():
        return error(132000, f"buttons: number of parameters ({len(filled)}) does not match ({len(wanted)})")
    for index, button in wanted.items():
        if str(filled[index]["sub_type"]).upper() != button["type"]:
            return error(132012, f"button {index}: Format mismatch, expected {button['type']}")
    return _wrong_texts([parameter for each in filled.values() for parameter in each["parameters"]])


def _wrong_texts(parameters: list[dict[str, Any]]) -> Told | None:
    for parameter in parameters:
        words = parameter.get(parameter.get("type", ""))
        if not isinstance(words, str) or not words:
            return error(131008, "Parameter of type text is missing text value")
        if _UGLY.search(words):
            return error(132018, "Param text cannot have new-line/tab characters or more than 4 consecutive spaces")
    return None
