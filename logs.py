"""How every process logs: one line an event, with its time in UTC, its process, and a tag such as ``[WA_SEND]``.

The tag and the id of the broadcast are part of each message. Phone numbers are masked by whoever logs them
(domain.phone.masked); no secret is ever an argument of a log call.
"""

from __future__ import annotations

import logging
import sys
import time


def set_up(level: str, process: str) -> None:
    """Log to standard output, where a platform collects it. ``process`` is the name in the Procfile."""
    handler = logging.StreamHandler(sys.stdout)
    formatter = logging.Formatter(
        f"%(asctime)s.%(msecs)03dZ %(levelname)s {process} %(message)s", datefmt="%Y-%m-%dT%H:%M:%S"
    )
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("fanfare").setLevel(level)
