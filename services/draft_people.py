"""The people of a draft: who of them will receive it as the draft stands now, and who not, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from db.queries import query
from domain import template
from domain.people import Person
from services import devices, drafts, launch_devices
from services.conversations import OPEN_S

DUPLICATE = "duplicate"
SAMPLE = 20  # people whose message a preview can show


@dataclass(frozen=True, slots=True)
class Sums:
    """Everybody of a draft, counted once: ``will_receive``, those who are ``opted_out`` (as of now), those who are
    ``lacking`` a value of the message as it is now, ``duplicates``, and ``bad`` rows by their reasons' codes.

    ``missing`` is how many have no value for each name of the message, ``warnings`` are of people who will receive it.
    ``names``: somebody's name is known. ``outside_window`` of those who will receive it would not get it as the free text
    that it is: they have not written to the official numbers that it would go out from (services/launch_devices.py).
    """

    will_receive: int
    opted_out: int
    lacking: int
    duplicates: int
    bad: dict[str, int]
    missing: dict[str, int]
    warnings: dict[str, int]
    names: bool
    outside_window: int = 0

    @property
    def bad_count(self) -> int:
        return sum(self.bad.values())


def sums(db: Connection, workspace_id: int, draft: drafts.Draft) -> Sums:
    """Count now, all of it in the database."""
    needed = needed_columns(draft)
    values = {
        "id": draft.id,
        "workspace_id": workspace_id,
        "columns": [column for column in needed.values() if column is not None],
        "all_lack": None in needed.values(),
        **_windows(db, workspace_id, draft),
    }
    counted = db.execute(query("draft_sums"), values).one()
    reasons = db.execute(
        text("SELECT reason, count(*) AS n FROM rejected_rows WHERE campaign_id = :id GROUP BY 1 ORDER BY 2 DESC, 1"),
        {"id": draft.id},
    )
    rejected: dict[str, int] = {row.reason: row.n for row in reasons}
    duplicates = rejected.pop(DUPLICATE, 0)
    missing = {
        name: counted.people if column is None else counted.lacking_of[column] for name, column in needed.items()
    }
    return Sums(
        will_receive=counted.will_receive,
        opted_out=counted.opted_out,
        lacking=counted.lacking,
        duplicates=duplicates,
        bad=rejected,
        missing={name: n for name, n in missing.items() if n},
        warnings=counted.warnings,
        names=counted.names,
        outside_window=counted.outside_window,
    )


def _windows(db: Connection, workspace_id: int, draft: drafts.Draft) -> dict[str, object]:
    """The official numbers of which one must have an open window with each person when it starts; None: nobody needs any."""
    device_ids: list[int] | None = None
    if draft.template is None:
        found = devices.for_launch(db, workspace_id, draft.device_ids)
        device_ids = launch_devices.that_need_windows(found, chosen=draft.device_ids is not None)
    return {"window_devices": device_ids, "starts_at": draft.scheduled_at, "open_s": OPEN_S}


def sample(db: Connection, workspace_id: int, draft: drafts.Draft) -> list[Person]:
    """The first SAMPLE people who have not opted out, in the order of their rows."""
    rows = db.execute(
        text(
            "SELECT p.row, p.phone, p.name, p.variables, p.warning FROM draft_people p WHERE p.campaign_id = :id"
            " AND NOT EXISTS (SELECT 1 FROM suppressions s WHERE s.workspace_id = :workspace_id AND s.phone = p.phone)"
            " ORDER BY p.row LIMIT :limit"
        ),
        {"id": draft.id, "workspace_id": workspace_id, "limit": SAMPLE},
    )
    return [_person(row) for row in rows]


def every(db: Connection, draft_id: int) -> list[Person]:
    """All people of a draft, as ``domain.people`` made them, in the order of their rows."""
    rows = db.execute(
        text("SELECT row, phone, name, variables, warning FROM draft_people WHERE campaign_id = :id ORDER BY row"),
        {"id": draft_id},
    )
    return [_person(row) for row in rows]


def one(db: Connection, draft_id: int, row: int) -> Person | None:
    """The person of this row, or None."""
    found = db.execute(
        text("SELECT row, phone, name, variables, warning FROM draft_people WHERE campaign_id = :id AND row = :row"),
        {"id": draft_id, "row": row},
    ).one_or_none()
    return None if found is None else _person(found)


def variables(draft: drafts.Draft, *, names: bool) -> list[str]:
    """What a message to these people can use: the columns of their file, and the name, by which everybody's is known."""
    columns = [header for header in draft.headers if header != draft.phone_header]
    return columns if not names or "name" in map(template.variable_key, columns) else ["name", *columns]


def needed_columns(draft: drafts.Draft) -> dict[str, str | None]:
    """For each name that the message needs a value of: the column that holds it, None when nobody has one.

    A message that cannot be read (yet) needs none.
    """
    try:
        message = template.parse(draft.message)
    except template.TemplateError:
        return {}
    columns = {template.variable_key(name): name for name in variables(draft, names=True)}
    return {name: columns.get(template.variable_key(name)) for name in template.missing(message, {})}


def unknown_variables(draft: drafts.Draft) -> list[str]:
    """The names in the message that no column has, with a fallback or without; none while it cannot be read."""
    try:
        message = template.parse(draft.message)
    except template.TemplateError:
        return []
    known = {template.variable_key(name) for name in variables(draft, names=True)}
    return [name for name in message.variables if template.variable_key(name) not in known]


def _person(row: Any) -> Person:
    return Person(row.phone, row.name or "", row.variables, row.row, row.warning)


def rendered(message: str, person: Person) -> tuple[str, Sequence[str]]:
    """The message to a person, and which names of it have no value; these stand in it as they were written.

    Raises TemplateError.
    """
    parsed = template.parse(message)
    missing = template.missing(parsed, person.variables)
    return template.render(parsed, {**{name: f"{{{name}}}" for name in missing}, **person.variables}), missing
