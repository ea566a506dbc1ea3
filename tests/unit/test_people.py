"""People and rejected rows, out of files and out of lists (R1, R5, R6)."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.csv_rows import CsvRefused, read_csv
from domain.people import Item, Person, RejectedRow, item_headers, people, recipients, rejected_csv

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "people.csv"


def found(text: str, *, phone_column: str | None = None, name_column: str | None = None) -> list[Person | RejectedRow]:
    return list(people(read_csv(text.encode()), "IL", phone_column=phone_column, name_column=name_column))


def test_a_row_becomes_a_person() -> None:
    assert found("Name,Phone,City,Note\nDana,050-000-0001,Haifa,\n") == [
        Person("+972500000001", "Dana", {"Name": "Dana", "City": "Haifa"}, 2, None)
    ]


def test_a_name_is_a_variable_called_name_whatever_its_column_is_called() -> None:
    assert found("טלפון נייד,שם מלא\n03-612-3456,דנה\n") == [
        Person("+97236123456", "דנה", {"שם מלא": "דנה", "name": "דנה"}, 2, "not_a_mobile")
    ]


def test_each_bad_row_has_its_number_and_its_reason() -> None:
    text = (
        "phone,name\n050-000-0001,a\n,b\n12,c\n9.72E+11,d\ncall me,e\n+972500000001,f\n0500000002,g,h\n"
        f"0500000003,{'x' * 40_000}\n0500000004,\0\n0500000005,i\n"
    )
    outcome = found(text)
    assert [(o.row, o.reason, o.raw) for o in outcome if isinstance(o, RejectedRow)] == [
        (3, "missing", ""),
        (4, "too_short", "12"),
        (5, "scientific_notation", "9.72E+11"),
        (6, "invalid_format", "call me"),
        (7, "duplicate", "+972500000001"),
        (8, "too_many_cells", "0500000002"),
        (9, "field_too_long", "0500000003"),
        (10, "bad_character", "0500000004"),
    ]
    assert [o.name for o in outcome if isinstance(o, Person)] == ["a", "i"]
    assert [o.first_row for o in outcome if isinstance(o, RejectedRow) and o.first_row] == [2]


@pytest.mark.parametrize(
    "header", ["Phone", "MOBILE", "phone_number", "WhatsApp", "Tel", "number", "טלפון", "נייד", "Telefon"]
)
def test_usual_headers_of_phones(header: str) -> None:
    assert isinstance(found(f"x,{header}\n1,0500000001\n")[0], Person)


def test_a_number_column_beside_a_phone_column_is_something_else() -> None:
    assert isinstance(found("number,phone\n17,0500000001\n")[0], Person)


@pytest.mark.parametrize("header", ["who,where", "phone,mobile", "phone,mobile,number"])
def test_a_phone_column_that_is_not_certain_is_asked_for(header: str) -> None:
    csv_file = read_csv(f"{header}\n0500000001,0500000002\n".encode())
    with pytest.raises(CsvRefused) as caught:
        people(csv_file, "IL")
    assert caught.value.code == "column_unknown"
    assert caught.value.details == {"column": "phone", "headers": header.split(",")}


def test_columns_can_be_named() -> None:
    (person,) = found("a,b,phone\n0500000001,Dana,17\n", phone_column="A", name_column=" b ")
    assert person == Person("+972500000001", "Dana", {"b": "Dana", "phone": "17", "name": "Dana"}, 2, None)
    with pytest.raises(CsvRefused) as caught:
        found("a,b\n1,2\n", phone_column="c")
    assert caught.value.code == "column_unknown"


def test_items_of_a_list() -> None:
    items: list[Item] = [
        "050-000-0001",
        972500000002,
        500000003,
        {"phone": "+972500000004", "name": "Dana", "variables": {"City": "Haifa", "visits": 3, "note": None}},
        {"phone": 500000001},
        {"name": "Noa"},
        972500000010.0,  # type: ignore[list-item]
        True,
        -500000005,
        {"phone": "0500000006", "variables": {"City": ["Haifa"]}},
        {"phone": "0500000007", "variables": ["Haifa"]},
        {"phone": "0500000008", "name": "\ud800"},
        ["0500000009"],  # type: ignore[list-item]
    ]
    outcome = list(recipients(items, "IL"))
    assert outcome[:4] == [
        Person("+972500000001", "", {}, 1, None),
        Person("+972500000002", "", {}, 2, None),
        Person("+972500000003", "", {}, 3, None),
        Person("+972500000004", "Dana", {"name": "Dana", "City": "Haifa", "visits": "3"}, 4, None),
    ]
    assert [(o.row, o.reason) for o in outcome[4:] if isinstance(o, RejectedRow)] == [
        (5, "duplicate"),
        (6, "missing"),
        (7, "invalid_format"),
        (8, "invalid_format"),
        (9, "invalid_format"),
        (10, "bad_value"),
        (11, "bad_value"),
        (12, "bad_character"),
        (13, "bad_value"),
    ]
    assert item_headers(items) == ("phone", "name", "City", "visits", "note")


def test_rejected_rows_can_be_corrected_and_uploaded_again() -> None:
    first = read_csv(b"phone,name,@city\n12,Dana,=1+1\n0500000001,x,y\n+972500000001,'+z,-y\n1,a,b,c\n")
    rejected = [o for o in people(first, "IL") if isinstance(o, RejectedRow)]
    text = rejected_csv(first.headers, rejected)
    assert text.splitlines() == [
        "phone,name,'@city,reason,row",
        "12,Dana,'=1+1,too_short: The number is too short for its country,2",
        "'+972500000001,''+z,'-y,duplicate: The same number is there already (row 3): +972500000001,4",
        "1,a,b,too_many_cells: The row has more cells than the header,5,c",
    ]
    again = read_csv(text.replace("\n12,", "\n0500000012,").encode())
    assert again.headers == first.headers
    assert [row.cells for row in again.rows()] == [
        ("0500000012", "Dana", "=1+1"),
        ("+972500000001", "'+z", "-y"),
        ("1", "a", "b", "c"),
    ]
    assert [type(o) for o in people(again, "IL")] == [Person, RejectedRow, RejectedRow]


def test_who_was_sent_to_by_the_first_row_is_not_sent_to_by_the_corrected_file() -> None:
    first = read_csv(b"phone,name\n0500000001,a\n050-0000001,b\n12,c\n0500000002,d\n0500000002,e\n")
    text = rejected_csv(first.headers, [o for o in people(first, "IL") if isinstance(o, RejectedRow)])
    # A spreadsheet takes the zero away; the last one is corrected.
    again = read_csv(text.replace("\n050-0000001,", "\n500000001,").replace("\n0500000002,", "\n0500000003,").encode())
    rejected = [o for o in people(again, "IL") if isinstance(o, RejectedRow)]
    assert [(o.row, o.reason, o.first_row) for o in rejected] == [(2, "duplicate", None), (3, "too_short", None)]
    assert [o.phone for o in people(again, "IL") if isinstance(o, Person)] == ["+972500000003"]
    once_more = read_csv(rejected_csv(again.headers, rejected).encode())
    assert [o.reason for o in people(once_more, "IL") if isinstance(o, RejectedRow)] == ["duplicate", "too_short"]


def test_columns_called_reason_and_row_elsewhere_are_the_users_own() -> None:
    assert read_csv(b"phone,row,reason\n1,2,3\n").headers == ("phone", "row", "reason")


def test_the_sample_shows_what_an_upload_can_be() -> None:
    outcome = list(people(read_csv(SAMPLE.read_bytes()), "IL"))
    persons = [o for o in outcome if isinstance(o, Person)]
    assert (len(outcome), len(persons)) == (200, 188)
    assert all(person.phone.startswith("+972500") for person in persons)
    assert {o.reason for o in outcome if isinstance(o, RejectedRow)} == {
        *("missing", "too_short", "invalid_format", "scientific_notation", "duplicate")
    }
    special = [person.phone[-5:] for person in persons if person.phone[-5:-2] == "990"]
    assert special.count("99001") == 3
    assert len(special) == 9
