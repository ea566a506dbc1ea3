"""Templates of Meta's in words: what one is called, its state, and where each of its places stands."""

from __future__ import annotations

import re
from typing import Final

from babel import Locale, UnknownLocaleError

from console import shown
from console.words import _, language, marked
from domain.cloud_template import Place

_STATES: Final = {
    "APPROVED": marked("Approved"),
    "ARCHIVED": marked("Archived"),
    "DELETED": marked("Deleted"),
    "DISABLED": marked("Disabled by Meta"),
    "IN_APPEAL": marked("Meta is looking at it again"),
    "PAUSED": marked("Paused by Meta"),
    "PENDING": marked("Meta is looking at it"),
    "PENDING_DELETION": marked("Being deleted"),
    "REJECTED": marked("Rejected"),
}
_CATEGORIES: Final = {
    "MARKETING": marked("Marketing"),
    "UTILITY": marked("Utility"),
    "AUTHENTICATION": marked("Authentication"),
}
_AROUND: Final = 24  # characters of a template's own text on each side of a place
_NAME: Final = re.compile(r"\{\{[a-z0-9]+(_[a-z0-9]+)*\}\}")
_PLACE: Final = re.compile(r"\{\{[^{}]*\}\}")


def called(name: str, code: str, category: str | None = None) -> str:
    """``order_ready · English · Utility``."""
    return " · ".join([shown.isolated(name), tongue(code), *([kind(category)] if category else [])])


def state(status: str) -> str:
    """A template's state; one that Meta has added since is called as it is there."""
    return _(_STATES[status]) if status in _STATES else _as_meta_has_it(status)


def kind(category: str) -> str:
    """What Meta bills it as."""
    return _(_CATEGORIES[category]) if category in _CATEGORIES else _as_meta_has_it(category)


def tongue(code: str) -> str:
    """A language by Meta's code (``pt_BR``), in the reader's language."""
    try:
        return Locale.parse(code).get_display_name(language()) or code
    except (UnknownLocaleError, ValueError):
        return shown.isolated(code)


def place(asked: Place) -> str:
    """Where a place stands: ``{{1}} in the text: “Hello {{1}}, your order…”``."""
    part = asked.key.partition(".")[0]
    # A field's label is also read aloud as it is, so what need not be escaped is not: braces, and Meta's names of places.
    around = _with_braces(_around(asked.around, sign(asked)))
    written = shown.isolated(sign(asked)) if _NAME.fullmatch(sign(asked)) else _with_braces(sign(asked))
    if part == "header":
        return _("{place} in the header: “{around}”", place=written, around=around)
    if part == "body":
        return _("{place} in the text: “{around}”", place=written, around=around)
    if _PLACE.search(asked.around):
        return _("{place} in the address of a button: “{around}”", place=written, around=around)
    return _("What the button “{around}” copies", around=shown.plain(asked.around))


def sign(asked: Place) -> str:
    """What stands in the template for a place: ``{{1}}``."""
    part, _dot, name = asked.key.partition(".")
    if part != "button":
        return f"{{{{{name}}}}}"
    found = _PLACE.search(asked.around)
    return found[0] if found else "…"


def _as_meta_has_it(code: str) -> str:
    return code.replace("_", " ").lower()


def _with_braces(text: str) -> str:
    """As text where Markdown is read, in which braces mean nothing."""
    return shown.plain(text).replace("\\{", "{").replace("\\}", "}")


def _around(text: str, place: str) -> str:
    """A place with the words next to it."""
    before, found, after = text.replace("\n", " ").partition(place)
    start, end = before[-_AROUND:], after[:_AROUND]
    return f"{'…' if start != before else ''}{start}{found}{end}{'…' if end != after else ''}"
