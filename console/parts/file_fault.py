"""Why a whole file could not be read, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from console.refusals import told
from console.words import marked

# Where the page has more to offer than the file's fault itself says.
_BY_CODE: Final = {
    "not_csv": marked("This is a spreadsheet's own file. Save it there as CSV (UTF-8), and upload that."),
    "encoding_unknown": marked(
        "The letters of this file can be read in several ways. Choose the one that looks right."
    ),
    "encoding_wrong": marked("Read in this way the file makes no sense. Choose another."),
    "delimiter_unknown": marked("Choose what stands between two cells."),
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
    return told(_BY_CODE.get(fault["code"], fault["text"]), fault["values"])
