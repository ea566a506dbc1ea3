"""On PYTHONPATH, this sets the clock of a process, and of all that it starts, wrong by CLOCK_AHEAD_S seconds."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import time_machine

wrong = datetime.now(UTC) + timedelta(seconds=float(os.environ["CLOCK_AHEAD_S"]))
time_machine.travel(wrong, tick=True).start()
