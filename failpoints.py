"""Named places in the code at which a test makes the process die, freeze or fail. Off unless FAILPOINT is set.

``FAILPOINT=after_bridge_call:kill`` ends the process there by SIGKILL; ``after_begin:stop:17.*`` freezes it (SIGSTOP) where
it holds a send key of message 17; several are separated by commas. The places are found by searching for ``failpoints.hit``.
"""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

ACTIONS: Final = ("kill", "stop", "error")


class FailpointError(Exception):
    """What the action ``error`` raises."""


@dataclass(slots=True)
class _Failpoint:
    """Fires at ``place`` for a subject that matches ``pattern``."""

    place: str
    action: str
    pattern: str
    frozen: bool = False

    def fire(self) -> None:
        if self.action == "error":
            raise FailpointError(self.place)
        if self.action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        # Once: who was woken goes on.
        if not self.frozen:
            self.frozen = True
            # To this thread, or it may run on for a moment; what stops is the process.
            signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)


_armed: list[_Failpoint] = []


def parse(text: str) -> list[_Failpoint]:
    """The failpoints of a setting. Raises ValueError, in words, for one that is not ``place:action`` or
    ``place:action:pattern``."""
    found = []
    for each in text.split(","):
        place, _, rest = each.strip().partition(":")
        action, _, pattern = rest.partition(":")
        if not place or action not in ACTIONS:
            raise ValueError(f"write it as place:action, where the action is one of {', '.join(ACTIONS)}")
        found.append(_Failpoint(place, action, pattern or "*"))
    return found


def arm(text: str | None) -> None:
    """Set the failpoints of this process."""
    _armed[:] = parse(text) if text else []


def hit(place: str, subject: str) -> None:
    """The process is at ``place``, busy with ``subject``: a send key, or a device and slot where none is begun."""
    for failpoint in _armed:
        if failpoint.place == place and fnmatchcase(subject, failpoint.pattern):
            failpoint.fire()
