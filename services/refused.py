"""How a service says no."""

from __future__ import annotations

from collections.abc import Mapping


class Refused(Exception):  # noqa: N818 (the name says what happened)
    """Nothing was done. ``code`` is stable, ``message`` is for a person, ``details`` has what a form or program needs."""

    def __init__(self, code: str, message: str, details: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = dict(details or {})
