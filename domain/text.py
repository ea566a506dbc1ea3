"""What can be stored as text: neither NUL nor half a character, which files and JSON can both hold."""

from __future__ import annotations

import re
from typing import Any, Final

_NO_TEXT: Final = re.compile("[\0\ud800-\udfff]")


def storable(text: str) -> bool:
    """Whether all of it can be stored."""
    return not _NO_TEXT.search(text)


def made_storable(value: Any) -> Any:
    """A text, or a JSON value of any depth, with U+FFFD wherever something is no text."""
    if isinstance(value, str):
        return _NO_TEXT.sub("\ufffd", value)
    if isinstance(value, list):
        return [made_storable(each) for each in value]
    if isinstance(value, dict):
        return {made_storable(name): made_storable(each) for name, each in value.items()}
    return value
