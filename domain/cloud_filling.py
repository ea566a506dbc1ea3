"""Whether a template of Meta's is filled so that it can go to everybody (R28). Its parts: domain/cloud_template.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from domain import template
from domain.cloud_template import HeaderKind, asked
from domain.template import Slot
from domain.text import blank


def unknown(components: Sequence[Mapping[str, Any]], values: Mapping[str, str]) -> list[str]:
    """Keys of ``values`` that are no places of the template. Raises CannotBeSentError."""
    places = {place.key for place in asked(components).places}
    return [key for key in values if key not in places]


def unfilled(components: Sequence[Mapping[str, Any]], values: Mapping[str, str]) -> list[str]:
    """Places that could be blank for somebody who lacks no value: nothing fills them, or nothing but empty fallbacks.

    Raises CannotBeSentError, and TemplateError for a value that cannot be read.
    """
    return [place.key for place in asked(components).places if _may_be_blank(values.get(place.key, ""))]


def literal(words: str) -> str:
    """Words as a value that is the same for everybody; as Meta takes them, in one line."""
    return " ".join(words.split()).replace("{", "{{").replace("}", "}}")


def same(one: Sequence[Mapping[str, Any]], other: Sequence[Mapping[str, Any]]) -> bool:
    """Whether these are the same template: what was written as its example does not count."""
    return [_without_example(part) for part in one] == [_without_example(part) for part in other]


def fits(kind: HeaderKind, mimetype: str) -> bool:
    """Whether such a file can be in such a header."""
    family = mimetype.partition("/")[0]
    return family not in ("image", "video", "audio") if kind == "document" else family == kind


def _may_be_blank(value: str) -> bool:
    # A slot without a fallback has a value of everybody who is sent to.
    return not any(
        part.fallback is None or not blank(part.fallback) if isinstance(part, Slot) else not blank(part)
        for part in template.parse(value).parts
    )


def _without_example(part: Any) -> Any:
    if isinstance(part, Mapping):
        return {name: _without_example(value) for name, value in part.items() if name != "example"}
    return [_without_example(each) for each in part] if isinstance(part, list) else part
