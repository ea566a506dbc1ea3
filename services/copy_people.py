"""The people of a launch in a temporary table, from which its messages are made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, text

from domain.people import Person
from services.copy_rows import copy_rows


def copy_people(db: Connection, people: Iterable[Person], leads: Mapping[str, int]) -> None:
    """Make the table ``launch_people``; ``leads`` maps a phone to the lead it came from."""
    db.execute(
        text(
            "CREATE TEMPORARY TABLE launch_people (row int, phone text, name text, variables jsonb, lead_id bigint)"
            " ON COMMIT DROP"
        )
    )
    copy_rows(
        db,
        "launch_people",
        ("row", "phone", "name", "variables", "lead_id"),
        ((each.row, each.phone, each.name or None, each.variables, leads.get(each.phone)) for each in people),
    )
