"""Files of all kinds, good and bad (R37)."""

from __future__ import annotations

import pytest

from domain.csv_rows import ENCODINGS, FIELD_LIMIT, CsvRefused, Row, read_csv

HEBREW = "טלפון,שם\n0500000001,דנה\n"


def refused(data: bytes, *, encoding: str | None = None, delimiter: str | None = None) -> CsvRefused:
    with pytest.raises(CsvRefused) as caught:
        read_csv(data, encoding=encoding, delimiter=delimiter)
    return caught.value


def rows(text: str) -> list[Row]:
    return list(read_csv(text.encode()).rows())


@pytest.mark.parametrize("written_in", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_that_are_certain_are_recognised(written_in: str) -> None:
    csv_file = read_csv(HEBREW.encode(written_in))
    assert csv_file.headers == ("טלפון", "שם")
    assert list(csv_file.rows()) == [Row(2, ("0500000001", "דנה"), None)]


def test_utf_16_of_the_other_byte_order_is_recognised() -> None:
    assert read_csv(b"\xfe\xff" + HEBREW.encode("utf-16-be")).headers == ("טלפון", "שם")


@pytest.mark.parametrize("written_in", ["windows-1255", "iso-8859-8", "utf-16"])
def test_other_encodings_are_asked_for_and_then_read(written_in: str) -> None:
    data = HEBREW.encode(written_in).removeprefix(b"\xff\xfe")
    fault = refused(data)
    assert fault.code == "encoding_unknown"
    assert fault.details["choices"] == [name for name in ENCODINGS if name != "utf-8"]
    assert read_csv(data, encoding=written_in).headers == ("טלפון", "שם")


def test_utf_16_without_its_mark_does_not_pass_for_utf_8() -> None:
    data = "phone,name\n0500000001,Dana\n".encode("utf-16-le")
    assert refused(data).code == "encoding_unknown"
    assert read_csv(data, encoding="utf-16").headers == ("phone", "name")


def test_western_european_text_is_asked_for_too() -> None:
    data = "phone;name\n0500000001;Zoë\n".encode("windows-1252")
    assert refused(data).code == "encoding_unknown"
    assert next(read_csv(data, encoding="windows-1252").rows()).cells[1] == "Zoë"


def test_an_answer_that_cannot_be_right_is_asked_again() -> None:
    fault = refused(HEBREW.encode("windows-1255"), encoding="utf-8")
    assert fault.code == "encoding_wrong"
    assert "utf-8" not in str(fault.details["choices"])
    assert refused(b"phone\n1\n", encoding="klingon").code == "encoding_unknown"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_header_shows_the_delimiter(delimiter: str) -> None:
    text = 'phone,"name; first\t or last",city\n1,"x",y\n'.replace(",", delimiter)
    csv_file = read_csv(text.encode())
    assert csv_file.delimiter == delimiter
    assert csv_file.headers == ("phone", f"name{';'} first\t or last", "city")


def test_a_delimiter_can_be_given() -> None:
    assert read_csv(b"a;b;c,d\n1;2;3,4\n", delimiter=",").headers == ("a;b;c", "d")
    assert refused(b"a|b\n1|2\n", delimiter="|").code == "delimiter_unknown"


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\n\r\n  \n"])
def test_an_empty_file(data: bytes) -> None:
    assert refused(data).code == "empty"


@pytest.mark.parametrize("data", [b"phone,name", b"phone,name\n", b"phone,name\n\n,\n \n"])
def test_a_header_and_nobody_under_it(data: bytes) -> None:
    assert refused(data).code == "no_rows"


@pytest.mark.parametrize("first", ["0500000001,Dana", "'+972 50-000-0001,Dana", "Dana,(050) 000-0001"])
def test_a_person_in_the_place_of_the_header(first: str) -> None:
    fault = refused(f"{first}\n0500000002,Noa\n".encode())
    assert fault.code == "header_missing"


@pytest.mark.parametrize(
    ("data", "column"), [(b"phone,,name\n1,2,3\n", 2), (b",,,\n,,,\n", 1), (b"reason,row\n1,2\n", 1)]
)
def test_a_column_without_a_name(data: bytes, column: int) -> None:
    fault = refused(data)
    assert fault.code == "header_missing"
    assert f"Column {column}" in fault.message


def test_columns_with_one_name() -> None:
    fault = refused("phone,Name,city, name\u200f\n1,2,3,4\n".encode())
    assert fault.code == "header_duplicate"
    assert fault.details == {"headers": ["Name", "name"]}


def test_dates_may_be_headers() -> None:
    assert read_csv(b"phone,2026-11-21\n1,2\n").headers == ("phone", "2026-11-21")


def test_empty_columns_at_the_end_do_not_count() -> None:
    assert rows("phone,name,,\n1,x,,\n2,y\n") == [Row(2, ("1", "x"), None), Row(3, ("2", "y"), None)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_are_numbered_as_a_spreadsheet_does(end: str) -> None:
    text = 'phone,name\n1,"Dana\nCohen"\n\n,\n2,Noa'.replace("\n", end)
    assert rows(text) == [Row(2, ("1", f"Dana{end}Cohen"), None), Row(5, ("2", "Noa"), None)]


def test_missing_cells_are_empty_and_surplus_ones_a_fault_of_the_row() -> None:
    assert rows("a,b\n1\n1,2,3\n1,2,\n") == [
        Row(2, ("1", ""), None),
        Row(3, ("1", "2", "3"), "too_many_cells"),
        Row(4, ("1", "2"), None),
    ]


def test_a_nul_byte_sets_its_row_aside() -> None:
    assert rows("a,b\n1,x\0y\n2,z\n") == [Row(2, ("1", "x\ufffdy"), "bad_character"), Row(3, ("2", "z"), None)]


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_field_of_a_million_characters_sets_its_row_aside(quote: str) -> None:
    long, short = rows(f"a,b\n1,{quote}{'x' * 1_000_000}{quote}\n2,{'y' * FIELD_LIMIT}\n")
    assert (long.number, long.fault) == (2, "field_too_long")
    assert len(long.cells[1]) < 1_000
    assert short == Row(3, ("2", "y" * FIELD_LIMIT), None)


def test_quotes_that_are_mere_text() -> None:
    assert [row.cells[1] for row in rows('a,b\n1,עו"ד כהן\n2,"Dani" Levi\n3, "x, y"\n4,"say ""hi"""\n')] == [
        'עו"ד כהן',
        "Dani Levi",
        "x, y",
        'say "hi"',
    ]


@pytest.mark.parametrize("close", ["", '3,"Noa"\n'])
def test_a_quote_that_swallows_rows_refuses_the_file(close: str) -> None:
    fault = refused(f'a,b\n1,x\n2,"Dana\n3,y\n{close}4,z\n'.encode())
    assert fault.code == "unreadable"
    assert fault.details == {"row": 3}


def test_marks_and_spaces_around_a_cell_are_dropped() -> None:
    assert rows("\u200fa,b\n\u00a01 ,\u202bדנה\u202c\n")[0].cells == ("1", "דנה")


def test_a_file_can_be_read_twice_and_knows_its_length() -> None:
    csv_file = read_csv(b"a\n1\n\n2\n")
    assert csv_file.row_count == 2
    assert list(csv_file.rows()) == list(csv_file.rows())
