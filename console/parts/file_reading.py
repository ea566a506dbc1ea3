"""How a draft's file is read: which column holds what, and, where that is not certain, its letters and its cells."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final
from unicodedata import category

import streamlit as st

from console import shown
from console.parts.file_fault import CURED_BY_ENCODING
from console.words import _, marked
from domain.csv_rows import DELIMITERS, ENCODINGS
from services.draft_file import DraftFile, How

_DELIMITERS: Final = {"\t": marked("Tab"), ";": marked("Semicolon ;"), ",": marked("Comma ,")}
_ENCODINGS: Final = {
    "utf-8": marked("UTF-8 (all languages)"),
    "utf-16": marked("UTF-16 (all languages)"),
    "windows-1255": marked("Hebrew (Windows)"),
    "windows-1252": marked("Western European (Windows)"),
    "windows-1256": marked("Arabic (Windows)"),
    "iso-8859-8": marked("Hebrew (ISO)"),
}
CHANGED: Final = "file is to be read otherwise"  # in the session, until it is done: only then does a choice count
_SEEN: Final = 60  # characters of the file by which an encoding is judged


def draw(file: DraftFile, draft_id: int) -> How:
    """Draw what can be chosen; returns how the file is to be read now."""
    fault = file.found.get("fault")
    if fault and fault["code"] in CURED_BY_ENCODING:
        return _draw_encodings(file, draft_id)
    if "headers" not in file.found:
        return file.how
    st.markdown(f"**{_('What stands in which column')}**")
    how = _draw_columns(file, draft_id)
    if "rows" in file.found:
        _draw_rows(file.found)
    with st.expander(_("How the file was read")):
        return _draw_rest(file, how, draft_id)


def _changed() -> None:
    st.session_state[CHANGED] = True


def _draw_encodings(file: DraftFile, draft_id: int) -> How:
    seen: dict[str, str] = {}  # what it looks like: the first encoding in which it does
    for name in ENCODINGS:
        if look := _beginning(file, name):
            seen.setdefault(look, name)
    chosen = st.radio(
        _("Which of these looks right?"),
        list(seen.values()),
        index=None,
        key=f"encoding {draft_id}",
        format_func=lambda name: _(_ENCODINGS[name]),
        captions=[shown.plain(look) for look in seen],
        on_change=_changed,
    )
    return replace(file.how, encoding=chosen) if chosen else file.how


def _beginning(file: DraftFile, encoding: str) -> str:
    """Letters by which a person can judge: the first beyond ASCII, with what stands around them; empty when the file
    makes no text so."""
    # A letter of several bytes may be cut at the end.
    content = file.beginning[:-4] if file.size > len(file.beginning) else file.beginning
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return ""
    first = next((place for place, letter in enumerate(text) if letter > "\x7f"), 0)
    start = max(0, first - _SEEN // 4)
    look = " ".join(text[start : start + _SEEN].split())
    return "" if any(category(letter) in ("Cc", "Cn", "Co") for letter in look) else look


def _draw_columns(file: DraftFile, draft_id: int) -> How:
    headers = file.found["headers"]
    phone_found, name_found = file.found.get("phone_column"), file.found.get("name_column")
    # After another reading it is another choice, which begins with what was found.
    key = f"{draft_id} {hash((*headers, phone_found, name_found))}"
    with st.container(horizontal=True):
        phone = _draw_column(_("Phone numbers are in"), headers, phone_found, f"phone {key}")
        name = _draw_column(_("Names are in"), headers, name_found, f"name {key}")
    return replace(
        file.how,
        phone_column=file.how.phone_column if phone == phone_found else phone,
        name_column=file.how.name_column if name == name_found else name,
    )


def _draw_column(label: str, headers: list[str], found: str | None, key: str) -> str | None:
    return st.selectbox(
        label,
        headers,
        index=headers.index(found) if found in headers else None,
        key=key,
        placeholder=_("Choose a column"),
        width=220,
        on_change=_changed,
    )


def _draw_rows(found: dict[str, Any]) -> None:
    """The first rows, with what is read from the columns in their heads."""
    headers = found["headers"]
    names = {found.get("phone_column"): _("number"), found.get("name_column"): _("name")}
    names = {header: name for header, name in names.items() if header and header.casefold() != name}
    heads = [f"{header} → {names[header]}" if header in names else header for header in headers]
    st.dataframe([dict(zip(heads, row, strict=False)) for row in found["rows"]], hide_index=True)


def _draw_rest(file: DraftFile, how: How, draft_id: int) -> How:
    used = file.found["encoding"].removesuffix("-sig")  # a mark at the beginning makes no other letters
    with st.container(horizontal=True):
        encoding = st.selectbox(
            _("Letters"),
            ENCODINGS,
            index=ENCODINGS.index(used),
            key=f"letters {draft_id} {used}",
            format_func=lambda name: _(_ENCODINGS[name]),
            width=240,
            on_change=_changed,
        )
        delimiter = st.selectbox(
            _("Between two cells stands"),
            DELIMITERS,
            index=DELIMITERS.index(file.found["delimiter"]),
            key=f"delimiter {draft_id} {file.found['delimiter']}",
            format_func=lambda sign: _(_DELIMITERS[sign]),
            width=240,
            on_change=_changed,
        )
    return replace(
        how,
        encoding=how.encoding if encoding == used else encoding,
        delimiter=how.delimiter if delimiter == file.found["delimiter"] else delimiter,
    )
