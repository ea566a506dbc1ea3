"""What ends a run on this machine with one line for its operator."""

from __future__ import annotations


class LocalError(Exception):
    """Something on this machine stands in the way; the text is one line that says what to do."""
