"""The templates of our business accounts, as Meta last told them, and which devices can send them (R28)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, text

from db.queries import query
from domain.cloud_filling import same
from domain.text import made_storable

APPROVED = "APPROVED"
LONGEST_NAME = 512  # characters: Meta's own limit


@dataclass(frozen=True, slots=True)
class KnownTemplate:
    """A template of one business account; ``status``, ``category`` and ``components`` in Meta's words. ``device_ids`` are
    the numbers of that account."""

    business_account_id: str
    name: str
    language: str
    status: str
    category: str
    parameter_format: str
    components: list[dict[str, Any]]
    synced_at: datetime
    device_ids: list[int]


@dataclass(frozen=True, slots=True)
class UsableTemplate:
    """A template that is approved, and the numbers that can send it just so."""

    name: str
    language: str
    category: str
    status: str
    parameter_format: str
    components: list[dict[str, Any]]
    synced_at: datetime
    device_ids: list[int]


def sync(db: Connection, business_id: str, found: Sequence[Mapping[str, Any]]) -> int:
    """A business account has these templates (as Meta's API lists them) and no others; returns how many those are."""
    rows = {(row["name"], row["language"]): row for row in _rows(found)}
    keys = {
        "business_id": business_id,
        "names": [name for name, _ in rows],
        "languages": [tongue for _, tongue in rows],
    }
    db.execute(
        text(
            "DELETE FROM templates WHERE business_id = :business_id AND (name, language) NOT IN"
            " (SELECT * FROM unnest(CAST(:names AS text[]), CAST(:languages AS text[])))"
        ),
        keys,
    )
    if rows:
        db.execute(
            query("save_templates"),
            {
                **keys,
                **{
                    f"{field}_of": [row[field] for row in rows.values()]
                    for field in ("status", "category", "parameter_format", "components")
                },
            },
        )
    return len(rows)


def forget_strangers(db: Connection) -> None:
    """Templates of business accounts of which we have no number any more."""
    db.execute(text("DELETE FROM templates WHERE business_id NOT IN (SELECT business_id FROM cloud_numbers)"))


def every(db: Connection, workspace_id: int) -> list[KnownTemplate]:
    """All templates of a workspace's business accounts, whatever their status, by name and language."""
    return [KnownTemplate(**row) for row in db.execute(query("templates"), {"workspace_id": workspace_id}).mappings()]


def usable(db: Connection, workspace_id: int) -> list[UsableTemplate]:
    """The approved ones, each name and language once. Where accounts have different templates of one name, it is that of
    most devices, and only those can send it."""
    approved = [template for template in every(db, workspace_id) if template.status == APPROVED]
    by_name = groupby(approved, key=lambda template: (template.name, template.language))
    return [_of_most(list(group)) for _, group in by_name]


def one(db: Connection, workspace_id: int, name: str, language: str) -> UsableTemplate | None:
    """An approved template, or None."""
    return next((found for found in usable(db, workspace_id) if (found.name, found.language) == (name, language)), None)


def synced_at(db: Connection, workspace_id: int) -> datetime | None:
    """When the templates that are known were last told, those of the account that was asked longest ago; None: never."""
    return db.execute(
        text(
            "SELECT min(t.synced_at) FROM templates t JOIN cloud_numbers c ON c.business_id = t.business_id"
            " JOIN devices d ON d.id = c.device_id WHERE d.workspace_id = :workspace_id"
        ),
        {"workspace_id": workspace_id},
    ).scalar_one_or_none()


def _rows(found: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, str]]:
    """What can be kept of them: without a name, a language or parts that can be read nobody can send one."""
    for template in made_storable([dict(one) for one in found]):
        name, language, components = template.get("name"), template.get("language"), template.get("components")
        if _named(name) and _named(language) and _readable(components):
            yield {
                "name": name,
                "language": language,
                "status": str(template.get("status") or "UNKNOWN").upper(),
                "category": str(template.get("category") or "UNKNOWN").upper(),
                "parameter_format": str(template.get("parameter_format") or "POSITIONAL").upper(),
                "components": json.dumps(components),
            }


def _readable(components: Any) -> bool:
    """Whether these are parts of a template. What a part says, domain/cloud_template.py reads."""
    if not _objects(components):
        return False
    try:
        json.dumps(components, allow_nan=False)  # Python reads numbers that are none, and no database takes them
    except ValueError:
        return False
    return all(_objects(part.get("buttons")) for part in components if str(part.get("type")).upper() == "BUTTONS")


def _named(found: Any) -> bool:
    return isinstance(found, str) and len(found) <= LONGEST_NAME


def _objects(found: Any) -> bool:
    return isinstance(found, list) and all(isinstance(one, dict) for one in found)


def _of_most(group: list[KnownTemplate]) -> UsableTemplate:
    alike = [[other for other in group if same(other.components, one.components)] for one in group]
    most = max(alike, key=lambda likes: sum(len(template.device_ids) for template in likes))
    first = most[0]
    return UsableTemplate(
        name=first.name,
        language=first.language,
        category=first.category,
        status=first.status,
        parameter_format=first.parameter_format,
        components=first.components,
        synced_at=min(template.synced_at for template in most),
        device_ids=sorted(device_id for template in most for device_id in template.device_ids),
    )
