"""What can be stored as text: neither NUL nor half a character, which JSON can both write."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator

_NO_TEXT = re.compile("[\0\ud800-\udfff]")


def storable(text: str) -> str:
    """The text itself. Raises ValueError when it cannot be stored."""
    if _NO_TEXT.search(text):
        raise ValueError("has characters that are no text (such as NUL)")
    return text


def made_storable(value: Any) -> Any:
    """A JSON value with U+FFFD wherever something is no text."""
    if isinstance(value, str):
        return _NO_TEXT.sub("\ufffd", value)
    if isinstance(value, list):
        return [made_storable(each) for each in value]
    if isinstance(value, dict):
        return {made_storable(name): made_storable(each) for name, each in value.items()}
    return value


Text = Annotated[str, AfterValidator(storable)]
