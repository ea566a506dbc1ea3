"""Why a whole file could not be read, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from console import shown
from console.words import _, marked

_BY_CODE: Final = {
    "not_csv": marked("This is a spreadsheet's own file. Save it there as CSV (UTF-8), and upload that."),
    "encoding_unknown": marked(
        "The letters of this file can be read in several ways. Choose the one that looks right."
    ),
    "encoding_wrong": marked("Read in this way the file makes no sense. Choose another."),
    "delimiter_unknown": marked("Choose what stands between two cells."),
    "empty": marked("The file is empty."),
    "header_missing": marked(
        "The first row must name every column, such as phone, name, city. Add what is missing there."
    ),
    "header_duplicate": marked("Two columns are called {name}: rename one of them in the file."),
    "no_rows": marked("The file has a first row with names of columns, but nobody under it."),
    "unreadable": marked("In row {row} a quotation mark opens and does not close. Correct it in the file."),
    "column_unknown": marked("Which column holds the phone numbers?"),
}

# What a choice on the page cures; of the others the file itself must be corrected.
CURED_BY_ENCODING: Final = ("encoding_unknown", "encoding_wrong")
CURED: Final = (*CURED_BY_ENCODING, "column_unknown")


def in_words(fault: Mapping[str, Any]) -> str:
    """The sentence to show for ``found["fault"]`` of a draft's file."""
    details = fault["details"]
    values = {
        "name": shown.plain(str(next(iter(details.get("headers", [])), ""))),
        "row": shown.number(details.get("row", 0)),
    }
    text = _BY_CODE.get(fault["code"])
    return _(text, **values) if text else _(fault["message"])
