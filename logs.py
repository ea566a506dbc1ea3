"""How every process logs: one line an event, with its time in UTC, its process, and a tag such as ``[WA_SEND]``.

The tag and the id of the broadcast are part of each message. Phone numbers are masked by whoever logs them
(domain.phone.masked); no secret is ever an argument of a log call. What others write into the text of an error, such as the
row that Postgres refuses, is masked here.
"""

from __future__ import annotations

import logging
import re
import sys
import time
from types import TracebackType
from typing import Final

from domain.phone import masked

_NUMBER: Final = re.compile(r"\+[1-9][0-9]{6,14}|[1-9][0-9]{6,14}@(?:s\.whatsapp\.net|c\.us)")

ErrorInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class _Formatter(logging.Formatter):
    def formatException(self, ei: ErrorInfo) -> str:  # noqa: N802 (the name is the library's)
        return _NUMBER.sub(lambda number: masked(number[0]), super().formatException(ei))


def set_up(level: str, process: str) -> None:
    """Log to standard output, where a platform collects it. ``process`` is the name in the Procfile."""
    handler = logging.StreamHandler(sys.stdout)
    formatter = _Formatter(f"%(asctime)s.%(msecs)03dZ %(levelname)s {process} %(message)s", datefmt="%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("fanfare").setLevel(level)
