"""From what a request gives to people and rejected rows: lists of numbers and leads, or a CSV file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from domain import people as rows
from domain.csv_rows import read_csv
from domain.people import Item, Person, RejectedRow
from domain.text import storable
from services.find_leads import FoundLead
from services.refused import Refused

VARIABLES = 100  # different variables in one launch; each of its rejected rows has a cell for every one


@dataclass(frozen=True, slots=True)
class Recipients:
    """Everybody of a launch. ``headers`` are those of the rejected rows' cells, ``leads`` maps a phone to its lead."""

    people: Sequence[Person]
    rejected: Sequence[RejectedRow]
    headers: Sequence[str]
    phone_header: str
    leads: Mapping[str, int] = field(default_factory=dict)


def from_items(
    items: Sequence[Item], lead_ids: Sequence[int], found: Mapping[int, FoundLead], country: str
) -> Recipients:
    """The items and then the leads as one list; rows count through it from 1. A lead that is not there is rejected.

    Raises Refused, INVALID, when the items' variables cannot be columns.
    """
    merged = [*items, *(_item(found.get(lead_id)) for lead_id in lead_ids)]
    headers = rows.item_headers(merged)
    _check_variables(headers)
    people, rejected = rows.apart(rows.recipients(merged, country))
    first = len(items) + 1
    unknown = {first + at: lead_id for at, lead_id in enumerate(lead_ids) if lead_id not in found}
    return Recipients(
        people,
        [_lead_not_found(row, unknown[row.row]) if row.row in unknown else row for row in rejected],
        headers,
        headers[0],
        {lead.phone: lead.id for lead in found.values()},
    )


def from_csv(
    data: bytes,
    country: str,
    *,
    encoding: str | None,
    delimiter: str | None,
    phone_column: str | None,
    name_column: str | None,
) -> Recipients:
    """The rows of a file. Raises CsvRefused for a fault of the file."""
    file = read_csv(data, encoding=encoding, delimiter=delimiter)
    people, rejected = rows.apart(rows.people(file, country, phone_column=phone_column, name_column=name_column))
    return Recipients(people, rejected, file.headers, rows.phone_header(file, phone_column))


def _item(lead: FoundLead | None) -> dict[str, Any]:
    """A lead that is not there keeps its place, without a number."""
    return {"phone": lead.phone, "name": lead.name, "variables": lead.attributes} if lead else {}


def _lead_not_found(row: RejectedRow, lead_id: int) -> RejectedRow:
    called = f"lead {lead_id}"
    return replace(row, raw=called, reason="lead_not_found", cells=(called, *row.cells[1:]))


def _check_variables(headers: Sequence[str]) -> None:
    if not all(map(storable, headers)):
        raise Refused(
            "INVALID", "recipients: a variable's name has characters that are no text.", {"field": "recipients"}
        )
    if len(headers) > VARIABLES:
        raise Refused(
            "INVALID", f"recipients: at most {VARIABLES} different variables can be used.", {"field": "recipients"}
        )
