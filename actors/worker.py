"""``python -m actors.worker``: check, then become Dramatiq's worker. Any number of them, on any machine."""

from __future__ import annotations

import os
import sys

from actors import start
from actors.runtime import NEEDED

SHUTDOWN_MS = 20_000  # Heroku kills 30 s after SIGTERM; what is not done by then is settled by recovery
# With its defaults Dramatiq fetches 2 messages a thread, those in hand included, and then sleeps: the limit of its
# throughput.
PREFETCH_PER_THREAD = 4
IDLE_MS = 100


def main() -> int:
    try:
        settings = start.checked(*NEEDED)
    except start.CannotStartError as error:
        return start.refuse(error)
    os.environ.setdefault("dramatiq_queue_prefetch", str(PREFETCH_PER_THREAD * settings.worker_threads))
    os.environ.setdefault("dramatiq_worker_timeout", str(IDLE_MS))
    arguments = [
        *("--processes", str(settings.worker_processes)),
        *("--threads", str(settings.worker_threads)),
        *("--worker-shutdown-timeout", str(SHUTDOWN_MS)),
        "--skip-logging",
        "actors.app",
    ]
    os.execv(sys.executable, [sys.executable, "-m", "dramatiq", *arguments])  # noqa: S606 - our own interpreter


if __name__ == "__main__":
    sys.exit(main())
