"""Templates of Meta's: what a template asks for, how its places are filled, and what people read (R28).

A template's ``components`` are in Meta's words: a list of HEADER (TEXT, IMAGE, VIDEO, DOCUMENT), BODY, FOOTER and BUTTONS,
in whose texts ``{{1}}`` or ``{{first_name}}`` are places. What fills a place is a template of ours (domain/template.py),
such as ``{name|there}``, in which each person's own values are put when the message is sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from domain import template
from domain.text import blank

HeaderKind = Literal["image", "video", "document"]

_PLACE: Final = re.compile(r"\{\{\s*([^{}\s]+)\s*\}\}")
_LONGEST_COUNT: Final = 4  # digits
_MEDIA_HEADERS: Final[Mapping[str, HeaderKind]] = {"IMAGE": "image", "VIDEO": "video", "DOCUMENT": "document"}
# Buttons that take a value when the message is sent: the end of an address, a code to copy, what a reply brings back.
_URL, _COPY_CODE, _QUICK_REPLY = "URL", "COPY_CODE", "QUICK_REPLY"


class CannotBeSentError(ValueError):
    """A template that has parts which we cannot fill; the text says which."""


@dataclass(frozen=True, slots=True)
class Place:
    """One value that a template asks for. ``key`` names it among all of the template's: ``header.1``, ``body.name``,
    ``button.0``. ``around`` is the text it stands in, with itself as ``{{…}}``."""

    key: str
    around: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a template asks for, in the order in which people read it."""

    places: tuple[Place, ...]
    header_file: HeaderKind | None


def asked(components: Sequence[Mapping[str, Any]]) -> Asked:
    """What must be filled in. Raises CannotBeSentError for a template that we cannot fill (a carousel, a location)."""
    places: list[Place] = []
    header_file: HeaderKind | None = None
    for component in components:
        kind = str(component.get("type", "")).upper()
        body = str(component.get("text") or "")
        if kind == "HEADER":
            wanted = str(component.get("format") or "TEXT").upper()
            if wanted in _MEDIA_HEADERS:
                header_file = _MEDIA_HEADERS[wanted]
            elif wanted == "TEXT":
                places += _places("header", body)
            else:
                raise CannotBeSentError(f"its header is a {wanted.lower()}")
        elif kind == "BODY":
            places += _places("body", body)
        elif kind == "BUTTONS":
            places += _button_places(component.get("buttons") or ())
        elif kind != "FOOTER":
            raise CannotBeSentError(f"it has a part of the kind {kind.lower()}")
    return Asked(tuple(places), header_file)


def in_words(components: Sequence[Mapping[str, Any]], values: Mapping[str, str]) -> str:
    """The whole message as people read it, as one template of ours: each place has what fills it, and all else is text."""
    parts: list[str] = []
    for component in components:
        kind = str(component.get("type", "")).upper()
        body = part_in_words(component, values)
        if kind == "BUTTONS":
            parts += [_button_in_words(place, button, values) for place, button in enumerate(component["buttons"])]
        elif body:
            parts.append({"HEADER": f"*{body}*", "FOOTER": f"_{body}_"}.get(kind, body))
    return "\n\n".join(parts)


def part_in_words(component: Mapping[str, Any], values: Mapping[str, str]) -> str:
    """The text of one part in the same way; empty for one that has none."""
    return _filled(str(component.get("text") or ""), str(component.get("type", "")).lower(), values)


def target_in_words(index: int, button: Mapping[str, Any], values: Mapping[str, str]) -> str:
    """Where a button leads or what it copies, for one that takes a value, in the same way; empty for others."""
    if not _takes_value(button):
        return ""
    own = values.get(f"button.{index}", "")
    if str(button.get("type", "")).upper() == _COPY_CODE:
        return own
    before, _, after = _PLACE.sub("\0", str(button["url"]), count=1).partition("\0")
    return f"{_as_text(before)}{own}{_as_text(after)}"


def filled(
    components: Sequence[Mapping[str, Any]], values: Mapping[str, str], person: Mapping[str, str]
) -> tuple[dict[str, Any], ...]:
    """The components of one person's message, as Meta's API takes them; a header's file is not among them.

    Raises template.MissingValuesError when the person lacks a value, or all that fills a place is blank for them.
    """
    found: list[dict[str, Any]] = []
    for component in components:
        kind = str(component.get("type", "")).upper()
        if kind in ("HEADER", "BODY"):
            parameters = [
                _parameter(place, name, values, person)
                for place, name in _named_places(kind.lower(), str(component.get("text") or ""))
            ]
            if parameters:
                found.append({"type": kind.lower(), "parameters": parameters})
        elif kind == "BUTTONS":
            found += _filled_buttons(component["buttons"], values, person)
    return tuple(found)


def _parameter(key: str, name: str, values: Mapping[str, str], person: Mapping[str, str]) -> dict[str, str]:
    parameter = {"type": "text", "text": value_of(key, values, person)}
    return parameter if _is_counted(name) else {**parameter, "parameter_name": name}


def value_of(key: str, values: Mapping[str, str], person: Mapping[str, str]) -> str:
    """What fills a place for one person. Meta takes neither line breaks nor tabs nor rows of spaces there, and nothing that
    is blank. Raises template.MissingValuesError."""
    found = " ".join(template.render(template.parse(values.get(key, "")), person).split())
    if blank(found):
        raise template.MissingValuesError([key])
    return found


def _filled_buttons(
    buttons: Sequence[Mapping[str, Any]], values: Mapping[str, str], person: Mapping[str, str]
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for index, button in enumerate(buttons):
        key = f"button.{index}"
        if not _takes_value(button):
            continue
        value = value_of(key, values, person)
        kind = str(button["type"]).upper()
        parameter = (
            {"type": "coupon_code", "coupon_code": value} if kind == _COPY_CODE else {"type": "text", "text": value}
        )
        found.append({"type": "button", "sub_type": kind.lower(), "index": str(index), "parameters": [parameter]})
    return found


def _takes_value(button: Mapping[str, Any]) -> bool:
    kind = str(button.get("type", "")).upper()
    return kind == _COPY_CODE or (kind == _URL and bool(_PLACE.search(str(button.get("url") or ""))))


def _button_places(buttons: Sequence[Mapping[str, Any]]) -> list[Place]:
    places: list[Place] = []
    for index, button in enumerate(buttons):
        kind = str(button.get("type", "")).upper()
        if kind not in (_URL, _COPY_CODE, _QUICK_REPLY, "PHONE_NUMBER"):
            raise CannotBeSentError(f"it has a button of the kind {kind.lower()}")
        if _takes_value(button):
            places.append(Place(f"button.{index}", str(button.get("url") or button.get("text") or "")))
    return places


def _button_in_words(index: int, button: Mapping[str, Any], values: Mapping[str, str]) -> str:
    label = _as_text(str(button.get("text") or ""))
    return f"[{label}] {target_in_words(index, button, values)}" if _takes_value(button) else f"[{label}]"


def _named_places(part: str, body: str) -> list[tuple[str, str]]:
    """(key, name) of each place, once and in order of first appearance; numbers in the order of their counting."""
    names = list(dict.fromkeys(_PLACE.findall(body)))
    if all(_is_counted(name) for name in names):
        names.sort(key=int)
    return [(f"{part}.{name}", name) for name in names]


def _is_counted(name: str) -> bool:
    """Whether a place is a number, and none that only looks like one."""
    return name.isascii() and name.isdigit() and len(name) <= _LONGEST_COUNT


def _places(part: str, body: str) -> list[Place]:
    return [Place(key, body) for key, _ in _named_places(part, body)]


def _filled(body: str, part: str, values: Mapping[str, str]) -> str:
    pieces = _PLACE.split(body)
    # Every second piece is the name of a place.
    return "".join(values.get(f"{part}.{piece}", "") if at % 2 else _as_text(piece) for at, piece in enumerate(pieces))


def _as_text(words: str) -> str:
    return words.replace("{", "{{").replace("}", "}}")
