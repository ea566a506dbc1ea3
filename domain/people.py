"""From the rows of a file, or a list of API items, to people and rejected rows (R5, R6, R37).

Every row that is not blank comes out exactly once, as a person or as a rejected row.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from domain import failures, phone
from domain.csv_rows import CORRECTION_HEADERS, CsvFile, CsvRefused, Row, checked_row, defused
from domain.template import variable_key

_PHONE_HEADERS: Final = (
    frozenset(
        {
            *("phone", "phone number", "telephone", "tel", "mobile", "mobile phone", "mobile number"),
            *("cell", "cellphone", "cell phone", "whatsapp", "whatsapp number", "msisdn", "e164"),
            *("telefon", "no telefon", "nombor telefon"),
            *("טלפון", "טלפון נייד", "נייד", "מספר טלפון", "מספר נייד", "פלאפון", "סלולרי", "וואטסאפ"),
        }
    ),
    frozenset({"number", "מספר"}),  # often of something else, so only when nothing clearer is there
)
_NAME_HEADERS: Final = ("name", "full name", "fullname", "שם", "שם מלא", "nama", "first name", "שם פרטי")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to write to.

    ``variables`` are all the values a template may use: the cells that are not blank, by header, without the phone, and
    always ``name`` when the name is known. ``row`` is the row's number in the file, or the item's in the list from 1.
    """

    phone: str
    name: str
    variables: dict[str, str]
    row: int
    warning: str | None


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that nobody is written to for.

    ``raw`` is its phone cell, ``reason`` a code of domain/failures.py, ``cells`` stand in the order of the headers and
    may go on beyond them, ``first_row`` is the row that has the same number when this one is a duplicate of its file.
    """

    row: int
    raw: str
    reason: str
    cells: tuple[str, ...]
    first_row: int | None = None


Item = str | int | Mapping[str, object]


def people(
    csv_file: CsvFile, country: str, *, phone_column: str | None = None, name_column: str | None = None
) -> Iterator[Person | RejectedRow]:
    """One person or rejected row for each row of the file, in its order.

    Columns not named are found by their usual headers. Raises CsvRefused at once, ``code`` column_unknown, with the
    headers in ``details``, when a named column is not there or the phone column is not certain.
    """
    phone_index = csv_file.headers.index(phone_header(csv_file, phone_column))
    name = name_header(csv_file, name_column)
    name_index = None if name is None else csv_file.headers.index(name)
    return _sorted_out(csv_file.rows(), csv_file.headers, phone_index, name_index, country)


def phone_header(csv_file: CsvFile, phone_column: str | None = None) -> str:
    """The header of the column that ``people`` reads the numbers from; raises CsvRefused as it does."""
    index = _column(csv_file.headers, phone_column, "phone")
    if index is None:
        index = _usual_phone_column(csv_file.headers, _plain_keys(csv_file.headers))
    return csv_file.headers[index]


def name_header(csv_file: CsvFile, name_column: str | None = None) -> str | None:
    """The header of the column that ``people`` reads the names from, None without one; raises CsvRefused as it does."""
    index = _column(csv_file.headers, name_column, "name")
    if index is None:
        keys = _plain_keys(csv_file.headers)
        index = next((keys.index(usual) for usual in _NAME_HEADERS if usual in keys), None)
    return None if index is None else csv_file.headers[index]


def apart(found: Iterable[Person | RejectedRow]) -> tuple[list[Person], list[RejectedRow]]:
    """People and rejected rows, each in their order."""
    people: list[Person] = []
    rejected: list[RejectedRow] = []
    for row in found:
        if isinstance(row, Person):
            people.append(row)
        else:
            rejected.append(row)
    return people, rejected


def recipients(items: Sequence[Item], country: str) -> Iterator[Person | RejectedRow]:
    """The same for a list from the API: an item is a number or ``{"phone", "name", "variables": {...}}``.

    A number may be text or an int; digits without ``+`` are read as domain/phone.py reads them. ``row`` counts from 1;
    the cells of rejected rows stand in the order of ``item_headers(items)``.
    """
    headers = item_headers(items)
    rows = (_item_row(number, item, headers) for number, item in enumerate(items, start=1))
    return _sorted_out(rows, headers, 0, 1, country)


def item_headers(items: Iterable[Item]) -> tuple[str, ...]:
    """``phone``, ``name`` and every variable of the items, each once: the header of their rejected rows."""
    headers = {"phone": "phone", "name": "name"}
    for item in items:
        variables = item.get("variables") if isinstance(item, Mapping) else None
        if isinstance(variables, Mapping):
            for name in variables:
                headers.setdefault(variable_key(str(name)), str(name))
    return tuple(headers.values())


def rejected_csv(headers: Sequence[str], rejected: Iterable[RejectedRow]) -> str:
    """A CSV to correct and upload again: the original columns, then ``reason`` and ``row``, which read_csv leaves out.

    A cell that a spreadsheet would run as a formula gets an apostrophe in front, which read_csv takes away again. A
    duplicate carries its number along: as long as that stands in the row, too, the row is a duplicate there as well,
    whose person the first file has sent to.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([defused(header) for header in headers] + list(CORRECTION_HEADERS))
    for row in rejected:
        words = f"{row.reason}: {failures.lookup(row.reason).reason}"
        words += f" (row {row.first_row})" if row.first_row is not None else ""
        words += f": {row.raw}" if row.reason == "duplicate" else ""
        cells = [defused(cell) for cell in row.cells]
        writer.writerow([*cells[: len(headers)], words, row.row, *cells[len(headers) :]])
    return out.getvalue()


def _item_row(number: int, item: object, headers: tuple[str, ...]) -> Row:
    given = item if isinstance(item, Mapping) else {"phone": item}
    variables = given.get("variables") or {}
    values: dict[str, object] = {}
    if isinstance(variables, Mapping):
        values = {variable_key(str(name)): value for name, value in variables.items()}
    values["phone"] = given.get("phone")
    if given.get("name") is not None:
        values["name"] = given["name"]
    ordered = [values.get(variable_key(header)) for header in headers]
    row = checked_row(number, ["" if value is None else str(value).strip() for value in ordered], len(headers))
    if not isinstance(variables, Mapping) or not all(isinstance(value, str | int | float | None) for value in ordered):
        return Row(number, row.cells, "bad_value")
    if isinstance(ordered[0], float | bool):  # a float has lost digits on its way
        return Row(number, row.cells, "invalid_format")
    return row


def _sorted_out(
    rows: Iterable[Row], headers: tuple[str, ...], phone_index: int, name_index: int | None, country: str
) -> Iterator[Person | RejectedRow]:
    columns = [(index, header) for index, header in enumerate(headers) if index != phone_index]
    names_itself = any(variable_key(header) == "name" for _, header in columns)
    first_rows: dict[str, int] = {}
    for row in rows:
        cells = row.cells
        raw = cells[phone_index]
        if row.fault is not None:
            yield RejectedRow(row.number, raw, row.fault, cells)
            continue
        found = phone.parse(raw, country)
        if isinstance(found, phone.Rejected):
            yield RejectedRow(row.number, raw, found.reason, cells)
            continue
        if _was_duplicate(row.reason, found.e164, country):
            yield RejectedRow(row.number, raw, "duplicate", cells)
            continue
        first_row = first_rows.setdefault(found.e164, row.number)
        if first_row != row.number:
            yield RejectedRow(row.number, raw, "duplicate", cells, first_row)
            continue
        name = cells[name_index] if name_index is not None else ""
        variables = {header: cells[index] for index, header in columns if cells[index]}
        if name and not names_itself:
            variables["name"] = name
        yield Person(found.e164, name, variables, row.number, found.warning)


def _was_duplicate(reason: str, e164: str, country: str) -> bool:
    """Whether a row of a file to correct was a duplicate and still has the number that it was one with."""
    if not reason.startswith("duplicate:"):
        return False
    before = phone.parse(reason.rpartition(": ")[2], country)
    return not isinstance(before, phone.Rejected) and before.e164 == e164


def _column(headers: tuple[str, ...], wanted: str | None, role: str) -> int | None:
    if wanted is None:
        return None
    for index, header in enumerate(headers):
        if variable_key(header) == variable_key(wanted):
            return index
    raise CsvRefused(
        "column_unknown", "The file has no column {wanted}.", {"column": role, "headers": list(headers)}, wanted=wanted
    )


def _plain_keys(headers: tuple[str, ...]) -> list[str]:
    return [variable_key(header).replace("_", " ").replace("-", " ") for header in headers]


def _usual_phone_column(headers: tuple[str, ...], keys: list[str]) -> int:
    for usual in _PHONE_HEADERS:
        found = [index for index, key in enumerate(keys) if key in usual]
        if len(found) == 1:
            return found[0]
        if found:
            break
    raise CsvRefused(
        "column_unknown",
        "Say which column holds the phone numbers.",
        {"column": "phone", "headers": list(headers)},
    )
