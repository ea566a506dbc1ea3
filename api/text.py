"""Text in a request: whatever can be stored as such."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from domain.text import storable


def _checked(text: str) -> str:
    if not storable(text):
        raise ValueError("has characters that are no text (such as NUL)")
    return text


Text = Annotated[str, AfterValidator(_checked)]
