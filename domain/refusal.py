"""What a refusal tells: a text, and the values that it names, so that it can be said in any language."""

from __future__ import annotations

from collections.abc import Mapping


class Refusal(Exception):  # noqa: N818 (the name says what happened)
    """Nothing was done. ``code`` is stable; ``text`` says why, in English, and names values as ``{status}``, which are those
    given by name and those of ``details``; ``message`` is the text with its values. ``details`` has what a form or program
    needs: an API answers it, and not the other values."""

    def __init__(self, code: str, text: str, details: Mapping[str, object] | None = None, /, **values: object) -> None:
        self.code = code
        self.text = text
        self.details = dict(details or {})
        self.values = self.details | values
        self.message = text.format(**self.values) if self.values else text
        super().__init__(self.message)
