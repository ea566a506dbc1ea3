"""From the bytes of a CSV file to its rows (R37).

A fault of the file (encoding, header, structure) refuses the file; a fault of a row is a property of that row, and the
others go on. Encodings are recognised when they are certain and asked for when they are not.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from domain.refusal import Refusal
from domain.template import variable_key
from domain.text import made_storable, storable

ENCODINGS: Final = ("utf-8", "utf-16", "windows-1255", "windows-1252", "windows-1256", "iso-8859-8")
DELIMITERS: Final = ("\t", ";", ",")  # in the order of preference: a comma is the likeliest to be mere text
FIELD_LIMIT: Final = 32_767  # characters; what one cell of a spreadsheet can hold

# The csv module's own limit ends the reading in the middle of a row. It has one for the whole process.
csv.field_size_limit(2**31 - 1)

_SPREADSHEETS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # how .xlsx and .ods begin, and .xls
_BOMS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")
_SPACES: Final = "".join(filter(str.isspace, map(chr, range(0x3001))))
_MARKS: Final = (
    "\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)
_AROUND: Final = _SPACES + _MARKS  # trimmed off every cell
_LOOKS_LIKE_A_PHONE: Final = re.compile(r"'?\+?[0-9 ().-]+")
_FORMULA: Final = re.compile("'*[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20]")
CORRECTION_HEADERS: Final = ("reason", "row")  # the last two of a file made to be corrected and uploaded again


class CsvRefused(Refusal):
    """A fault of the whole file; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row. ``number`` is the spreadsheet's (the header is row 1, a cell with line breaks is in one row);
    ``cells`` are trimmed and at least as many as the headers; ``fault`` is why the row cannot be used, if it cannot.
    ``reason`` is why it could not be used the time before, in a file made to be corrected."""

    number: int
    cells: tuple[str, ...]
    fault: str | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A file that can be read to its end. ``row_count`` counts the rows under the header that are not blank."""

    headers: tuple[str, ...]
    row_count: int
    encoding: str
    delimiter: str
    text: str = field(repr=False)
    corrected: bool = False  # has CORRECTION_HEADERS behind its own, which are left out here

    def rows(self) -> Iterator[Row]:
        """The rows under the header, from the first one each time; blank ones are left out."""
        return _rows(self.text, self.delimiter, len(self.headers), corrected=self.corrected)


def read_csv(data: bytes, *, encoding: str | None = None, delimiter: str | None = None) -> CsvFile:
    """Read a file's structure, so that all its rows can be read afterwards.

    ``encoding`` is one of ENCODINGS; without it UTF-8, and UTF-16 with its mark, are recognised and nothing is guessed.
    ``delimiter`` is one of DELIMITERS; without it the one that makes most of the header. Raises CsvRefused, ``code``
    not_csv, encoding_unknown, encoding_wrong, delimiter_unknown, empty, header_missing, header_duplicate, no_rows or
    unreadable.
    """
    if delimiter is not None and delimiter not in DELIMITERS:
        raise CsvRefused("delimiter_unknown", "The delimiter must be a comma, a semicolon or a tab.")
    if data.startswith(_SPREADSHEETS):
        raise CsvRefused("not_csv", "This is a spreadsheet's own file: save it as CSV (UTF-8), and upload that.")
    text, used = _decoded(data, encoding)
    delimiter = delimiter or max(DELIMITERS, key=lambda candidate: _header_width(text, candidate))
    headers = _header(text, delimiter)
    if any("\0" in header for header in headers):  # UTF-16 without its mark passes for text full of NULs
        raise _encoding_refused(used, asked=encoding is None)
    corrected = headers[-2:] == CORRECTION_HEADERS
    if corrected:
        headers = tuple(map(_restored, headers[:-2]))
    _check_headers(headers)
    row_count = sum(1 for _ in _rows(text, delimiter, len(headers), corrected=corrected))
    if not row_count:
        raise CsvRefused("no_rows", "The file has a header but nobody under it.", {"headers": list(headers)})
    return CsvFile(headers, row_count, used, delimiter, text, corrected)


def _decoded(data: bytes, encoding: str | None) -> tuple[str, str]:
    marked = next((name for mark, name in _BOMS if data.startswith(mark)), None)
    if encoding is not None and encoding not in ENCODINGS:
        raise CsvRefused(
            "encoding_unknown",
            "Choose one of {encodings}.",
            {"choices": list(ENCODINGS)},
            encodings=", ".join(ENCODINGS),
        )
    used = marked or encoding or "utf-8"
    try:
        return data.decode(used), used
    except UnicodeDecodeError:
        raise _encoding_refused(used, asked=encoding is None) from None


def _encoding_refused(used: str, *, asked: bool) -> CsvRefused:
    choices = {"choices": [choice for choice in ENCODINGS if choice != used]}
    if asked:
        return CsvRefused("encoding_unknown", "The file is not UTF-8: say which encoding it was saved in.", choices)
    return CsvRefused(
        "encoding_wrong", "The file is not written in {encoding}: choose another encoding.", choices, encoding=used
    )


def _header(text: str, delimiter: str) -> tuple[str, ...]:
    for _, cells in _records(text, delimiter):
        headers = [cell.strip(_AROUND) for cell in cells]
        while headers and not headers[-1]:
            headers.pop()
        if headers:
            return tuple(headers)
    raise CsvRefused("empty", "The file is empty.")


def _header_width(text: str, delimiter: str) -> int:
    try:
        return len(_header(text, delimiter))
    except CsvRefused:
        return 0


def _check_headers(headers: tuple[str, ...]) -> None:
    if any(_LOOKS_LIKE_A_PHONE.fullmatch(header) and sum(map(str.isdigit, header)) > 8 for header in headers):
        raise CsvRefused("header_missing", "The first row is a person: put a row with the columns' names above it.")
    nameless = [number for number, header in enumerate(headers, start=1) if not header.strip("".join(DELIMITERS))]
    if nameless or not headers:
        column = nameless[0] if nameless else 1
        raise CsvRefused(
            "header_missing", "Column {number} has no name in the first row: name it or remove it.", number=column
        )
    keys = [variable_key(header) for header in headers]
    twice = [header for header, key in zip(headers, keys, strict=True) if keys.count(key) > 1]
    if twice:
        raise CsvRefused(
            "header_duplicate", "Two columns are called {name}: rename one.", {"headers": twice}, name=twice[0]
        )


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(row number, cells) for each row, blank ones too."""
    line = ""

    def lines() -> Iterator[str]:
        nonlocal line
        for match in _LINE.finditer(text):
            line = match[0]
            yield line

    reader = csv.reader(lines(), delimiter=delimiter, strict=True, skipinitialspace=True)
    number = 0
    while True:
        number += 1
        lines_before = reader.line_num
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            # A quote that does not end where it should: within a line it is mere text, over several it swallowed rows
            if reader.line_num > lines_before + 1:
                raise CsvRefused(
                    "unreadable",
                    "A quotation mark opens in row {row} and does not close properly.",
                    {"row": number},
                ) from None
            cells = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))
        yield number, cells


def _rows(text: str, delimiter: str, width: int, *, corrected: bool) -> Iterator[Row]:
    header_passed = False
    for number, record in _records(text, delimiter):
        cells = [cell.strip(_AROUND) for cell in record]
        if not any(cells):
            continue
        if not header_passed:
            header_passed = True
            continue
        reason = ""
        if corrected:
            reason = cells[width] if len(cells) > width else ""
            cells = [_restored(cell) for cell in (*cells[:width], *cells[width + 2 :])]
            if not any(cells):
                continue
        while len(cells) > width and not cells[-1]:
            cells.pop()
        cells += [""] * (width - len(cells))
        row = checked_row(number, cells, width)
        yield replace(row, reason=reason) if reason else row


def checked_row(number: int, cells: list[str], width: int) -> Row:
    """A row with its fault, if it has one. The cells of a faulty row are made fit to be stored and shown."""
    if any(len(cell) > FIELD_LIMIT for cell in cells):
        return Row(number, tuple(_shown(cell) for cell in cells), "field_too_long")
    if not all(map(storable, cells)):
        return Row(number, tuple(_shown(cell) for cell in cells), "bad_character")
    return Row(number, tuple(cells), "too_many_cells" if len(cells) > width else None)


def _shown(cell: str) -> str:
    """What is kept of a cell of a faulty row: enough to find and correct it."""
    return str(made_storable(cell if len(cell) <= FIELD_LIMIT else f"{cell[:200]}…"))


def defused(cell: str) -> str:
    """A cell that no spreadsheet runs as a formula: an apostrophe in front, which a corrected file loses when read."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _restored(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
