"""Whatever the bytes, a file is refused with a reason or every row of it is accounted for."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.csv_rows import DELIMITERS, ENCODINGS, CsvRefused, read_csv
from domain.people import Item, Person, RejectedRow, people, recipients, rejected_csv

csv_like = st.text(alphabet="a1+0,;\t\n\r\"' =א\0\u200f", max_size=60)
files = st.binary(max_size=200) | csv_like.map(lambda text: ("phone,name\n" + text).encode())
cells = st.text(alphabet="ab1+-=@,;\t\n\r\"' א", max_size=8)
phones = st.sampled_from(["0500000001", "+972500000002", "", "12", "9.72E+11", "x", "0500000003", "+=1", "'-1"])
tables = st.lists(st.tuples(phones, cells, cells), min_size=1, max_size=8)


def written(table: list[tuple[str, str, str]], delimiter: str = ",") -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows([("phone", "name", "city"), *table])
    return out.getvalue().encode()


@example(b'a\n"x\ny"z\n', None, None)
@example(b'"a\nb";"c"\n1;2\n', None, None)
@example(b"p\0h\0\n\0", None, None)
@given(files, st.none() | st.sampled_from(ENCODINGS), st.none() | st.sampled_from(DELIMITERS))
def test_any_bytes_are_refused_or_every_row_comes_out_once(
    data: bytes, encoding: str | None, delimiter: str | None
) -> None:
    try:
        csv_file = read_csv(data, encoding=encoding, delimiter=delimiter)
    except CsvRefused:
        return
    rows = list(csv_file.rows())
    assert csv_file.row_count == len(rows) > 0
    outcome = list(people(csv_file, "IL", phone_column=csv_file.headers[0]))
    assert [o.row for o in outcome] == [row.number for row in rows]
    assert all(len(row.cells) >= len(csv_file.headers) for row in rows)


@given(tables, st.sampled_from(DELIMITERS))
def test_a_written_table_is_read_as_it_was(table: list[tuple[str, str, str]], delimiter: str) -> None:
    expected = [tuple(cell.strip() for cell in row) for row in table if any(cell.strip() for cell in row)]
    if not expected:
        with pytest.raises(CsvRefused, match="nobody under it"):
            read_csv(written(table, delimiter))
        return
    csv_file = read_csv(written(table, delimiter))
    assert csv_file.delimiter == delimiter
    assert [row.cells for row in csv_file.rows()] == expected
    outcome = list(people(csv_file, "IL"))
    persons = [o for o in outcome if isinstance(o, Person)]
    assert len({person.phone for person in persons}) == len(persons)
    by_row = {person.row: person.phone for person in persons}
    for rejected in (o for o in outcome if isinstance(o, RejectedRow) and o.reason == "duplicate"):
        assert rejected.first_row in by_row
        assert rejected.first_row < rejected.row


@given(tables)
def test_rejected_rows_come_back_unchanged_and_harmless(table: list[tuple[str, str, str]]) -> None:
    headers = ("phone", "name", "city")
    rejected = [
        RejectedRow(number, row[0], "invalid_format", tuple(cell.strip() for cell in row))
        for number, row in enumerate(table, start=2)
        if any(cell.strip() for cell in row)
    ]
    if not rejected:
        return
    text = rejected_csv(headers, rejected)
    again = read_csv(text.encode())
    assert again.headers == headers
    assert [row.cells for row in again.rows()] == [row.cells for row in rejected]
    assert not any(
        cell.startswith(tuple("=+-@\t\r")) for row in csv.reader(io.StringIO(text, newline="")) for cell in row
    )


items = st.one_of(
    phones,
    st.text(max_size=15),
    st.integers(),
    st.booleans(),
    st.fixed_dictionaries(
        {},
        optional={
            "phone": phones | st.integers(),
            "name": st.none() | st.text(),
            "variables": st.dictionaries(cells, cells),
        },
    ),
)


@given(st.lists(items, max_size=10))
def test_every_item_comes_out_once(given_items: list[Item]) -> None:
    outcome = list(recipients(given_items, "IL"))
    assert [o.row for o in outcome] == list(range(1, len(given_items) + 1))
