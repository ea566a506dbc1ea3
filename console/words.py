"""The console's words, in the language of who reads them.

Code holds the English text and asks for it by ``_`` and ``_n``, as gettext does; ``i18n/{language}.po`` holds the others.
A text that a catalogue lacks is shown in English; a test finds every such text.
"""

from __future__ import annotations

import gettext
import io
from functools import cache
from pathlib import Path
from typing import Any, Final

import streamlit as st
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from domain import failures

LANGUAGES: Final = {"en": "English", "he": "עברית"}
RIGHT_TO_LEFT: Final = frozenset({"he"})
FOLDER: Final = Path(__file__).parent / "i18n"


def _(text: str, **values: Any) -> str:
    """The text in the reader's language, with ``{name}`` replaced by values that were made by console/shown.py."""
    told = _catalogue(language()).gettext(text)
    return told.format(**values) if values else told


def _n(one: str, many: str, n: int, **values: Any) -> str:
    """The form of a text that goes with the number ``n``."""
    told = _catalogue(language()).ngettext(one, many, n)
    return told.format(**values) if values else told


def marked(text: str) -> str:
    """The text itself: marks it for the catalogues where it stands in a table and is asked for later."""
    return text


def reason(code: str | None) -> str:
    """Why, in plain words; empty without a code."""
    return _(failures.lookup(code).reason) if code else ""


def advice(code: str) -> str:
    """What to do about it, and whether it is safe to retry."""
    return _(failures.lookup(code).advice)


def language() -> str:
    """The reader's: as the address says, or as chosen before, or as the browser asks."""
    asked = st.query_params.get("lang") or st.session_state.get("language")
    return _known(asked) if asked else _of_browser()


def choose(to: str) -> None:
    """Speak this language from now on, also after a reload: it stands in the address."""
    st.session_state["language"] = to
    st.query_params["lang"] = to


def keep_in_address() -> None:
    """A page that is opened from the navigation comes without its parameters; the language is put back."""
    spoken = language()
    st.session_state["language"] = spoken
    if st.query_params.get("lang", _of_browser()) != spoken:
        st.query_params["lang"] = spoken


def in_address() -> dict[str, str]:
    """What a link must say so that the language stays; nothing when it is the browser's own."""
    return {"lang": language()} if language() != _of_browser() else {}


def right_to_left() -> bool:
    return language() in RIGHT_TO_LEFT


def _of_browser() -> str:
    return _known(st.context.locale or "en")


def _known(asked: str) -> str:
    """A language as browsers and addresses write it: he, he-IL."""
    spoken = asked.split("-", maxsplit=1)[0].lower()
    return spoken if spoken in LANGUAGES else "en"


@cache
def _catalogue(spoken: str) -> gettext.NullTranslations:
    if spoken == "en":
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    with (FOLDER / f"{spoken}.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=spoken))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
