"""Message templates (R33): ``{name}``, ``{name|there}`` with a fallback, ``{{`` and ``}}`` for braces.

A value is put in as it is and never read as a template again, so a person's data cannot change the message.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final


class TemplateError(ValueError):
    """A template that cannot be read. ``words`` say why and name ``values`` as ``{name}``; a brace is a value, too.
    ``position`` is the character it fails at, counted from 1."""

    def __init__(self, words: str, position: int, **values: str) -> None:
        super().__init__(f"{words.format(**values)} (character {position})")
        self.words = words
        self.values = values
        self.position = position


class MissingValuesError(ValueError):
    """A message cannot be written to this person: ``names`` have neither value nor fallback."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"no value and no fallback for {', '.join(names)}")
        self.names = names


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for a value. ``fallback`` None means that every person needs a value; an empty one means nothing."""

    name: str
    fallback: str | None


@dataclass(frozen=True, slots=True)
class Template:
    """Text and slots in order. ``variables`` are the names as first written, each once."""

    parts: tuple[str | Slot, ...]
    variables: tuple[str, ...]


_TOKEN: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_BRACES: Final = {"opening": "{{", "closing": "}}"}
_PUNCTUATION_IN_NAMES: Final = frozenset(" _-.'\"’׳״/()&#%?")


@lru_cache(maxsize=4096)
def variable_key(name: str) -> str:
    """The form in which names of variables and of columns are compared: case, outer spaces and marks do not count."""
    visible = "".join(c for c in unicodedata.normalize("NFC", name) if unicodedata.category(c) != "Cf")
    return " ".join(visible.casefold().split())


@lru_cache(maxsize=256)
def parse(text: str) -> Template:
    """Read a template; cached, because a campaign renders one text for everybody.

    Raises TemplateError for a lone brace and for a name that no column can have.
    """
    parts: list[str | Slot] = []
    names: dict[str, str] = {}
    end = 0
    for token in _TOKEN.finditer(text):
        parts.append(text[end : token.start()])
        end = token.end()
        if token[0] in ("{{", "}}"):
            parts.append(token[0][0])
        elif token[1] is None:
            raise _lone_brace(token[0], token.start() + 1)
        else:
            slot = _slot(token[1], token.start() + 1)
            names.setdefault(variable_key(slot.name), slot.name)
            parts.append(slot)
    parts.append(text[end:])
    return Template(tuple(part for part in parts if part != ""), tuple(names.values()))


def missing(template: Template, values: Mapping[str, str]) -> list[str]:
    """Names of ``template`` that have neither a value nor a fallback; a blank value counts as none."""
    known = _by_key(values)
    without = {
        variable_key(part.name)
        for part in template.parts
        if isinstance(part, Slot) and part.fallback is None and variable_key(part.name) not in known
    }
    return [name for name in template.variables if variable_key(name) in without]


def render(template: Template, values: Mapping[str, str]) -> str:
    """The message to one person. Raises MissingValuesError where ``missing`` is not empty."""
    known = _by_key(values)
    written: list[str] = []
    for part in template.parts:
        text = part if isinstance(part, str) else known.get(variable_key(part.name), part.fallback)
        if text is None:
            raise MissingValuesError(missing(template, values))
        written.append(text)
    return "".join(written)


def _by_key(values: Mapping[str, str]) -> dict[str, str]:
    return {variable_key(name): value for name, value in values.items() if value.strip()}


def _slot(inside: str, position: int) -> Slot:
    name, bar, fallback = inside.partition("|")
    name = " ".join(name.split())
    if not any(c.isalnum() for c in name):
        raise TemplateError(
            "There is no name between the braces; write {opening} and {closing} for braces that are text",
            position,
            **_BRACES,
        )
    if not all(unicodedata.category(c)[0] in "LMN" or c in _PUNCTUATION_IN_NAMES for c in variable_key(name)):
        raise TemplateError(
            "{name} is not a name; write {opening} and {closing} for braces that are text",
            position,
            name=repr(name),  # which shows signs that are not seen otherwise
            **_BRACES,
        )
    return Slot(name, fallback.strip() if bar else None)


def _lone_brace(brace: str, position: int) -> TemplateError:
    values = {"brace": brace, "twice": brace * 2}
    if brace == "{":
        return TemplateError("This {brace} is never closed; write {twice} for a brace that is text", position, **values)
    return TemplateError("This {brace} closes nothing; write {twice} for a brace that is text", position, **values)
