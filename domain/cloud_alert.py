"""An alert of Meta's: its kind, its weight, what it tells and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal

Severity = Literal["info", "warning", "serious"]


class Kind(StrEnum):
    """What an alert is about; each has its words in the console. What its ``details`` hold stands behind it."""

    RESTRICTED = "restricted"  # types, until, steps: it may not send
    LIMITED = "limited"  # types, until, steps: something else is forbidden, such as to add numbers
    BAN_PLANNED = "ban_planned"  # date
    BANNED = "banned"  # date
    REINSTATED = "reinstated"  # date
    VIOLATION = "violation"  # type
    DISCONNECTED = "disconnected"  # event, reason: our access to it has ended
    REVIEW = "review"  # decision
    QUALITY = "quality"  # event, quality, messaging_limit
    LIMIT = "limit"  # messaging_limit, numbers
    NAME = "name"  # decision, name, reason
    TEMPLATE = "template"  # name, language, event, reason
    TEMPLATE_QUALITY = "template_quality"  # name, language, quality, before
    ERROR = "error"  # code, reason
    NOTICE = "notice"  # event, words


@dataclass(frozen=True, slots=True)
class Reading:
    """``details`` are Meta's words by name, without what it has not told; ``messaging_limit`` and ``quality`` among them
    hold for the number from then on. ``until`` is the end of a restriction. ``look``: how the number is now is worth
    asking."""

    kind: Kind
    severity: Severity
    details: dict[str, Any] = field(default_factory=dict)
    until: datetime | None = None
    look: bool = False


# The kinds that say whether a number may send at all: the latest of them holds.
SENDING: Final = frozenset({Kind.RESTRICTED, Kind.BANNED, Kind.REINSTATED})

_LONGEST: Final = 500  # characters


def words(value: object) -> str | None:
    """A text that says something, cut; None for anything else."""
    return value[:_LONGEST] if isinstance(value, str) and value else None


def inside(value: Mapping[str, Any], outer: str, inner: str) -> str | None:
    """The text under two names, one within the other."""
    found = value.get(outer)
    return words(found.get(inner)) if isinstance(found, dict) else None


def told(**details: Any) -> dict[str, Any]:
    """What of this was told."""
    return {name: value for name, value in details.items() if value is not None}
