"""What can be stored as text: neither NUL nor half a character, which files and JSON can both hold. And what can be seen."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

_NO_TEXT: Final = re.compile("[\0\ud800-\udfff]")
# Letters and signs by their category that nobody sees: fillers of Hangul, the empty pattern of Braille, and two that only
# tell how their neighbours look.
_UNSEEN: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\ufe0f")


def storable(text: str) -> bool:
    """Whether all of it can be stored."""
    return not _NO_TEXT.search(text)


def blank(text: str) -> bool:
    """Whether nobody sees anything of it."""
    return all(
        sign.isspace()
        or sign in _UNSEEN
        or unicodedata.category(sign) in ("Cc", "Cf")  # controls and marks of direction
        for sign in text
    )


def made_storable(value: Any) -> Any:
    """A text, or a JSON value of any depth, with U+FFFD wherever something is no text."""
    if isinstance(value, str):
        return _NO_TEXT.sub("\ufffd", value)
    if isinstance(value, list):
        return [made_storable(each) for each in value]
    if isinstance(value, dict):
        return {made_storable(name): made_storable(each) for name, each in value.items()}
    return value
