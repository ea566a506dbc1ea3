"""How a service says no."""

from __future__ import annotations

from domain.refusal import Refusal


class Refused(Refusal):
    """A service's refusal."""
