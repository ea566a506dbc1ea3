"""A worker that stops itself (SIGSTOP, the whole process) between its first begin and its call to the bridge."""

from __future__ import annotations

import os
import runpy
import signal
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from bridge.http_client import HttpBridge
from bridge.protocol import Outbound, SendResult

send = HttpBridge.send
frozen_once = Path(os.environ["DATA_DIR"]) / "frozen-once"


def freeze_then_send(self: HttpBridge, outbound: Outbound) -> SendResult:
    try:
        frozen_once.open("x").close()
    except FileExistsError:
        pass
    else:
        frozen_once.write_text(outbound.key)
        os.kill(os.getpid(), signal.SIGSTOP)
    return send(self, outbound)


HttpBridge.send = freeze_then_send  # type: ignore[method-assign]
# fork keeps the changed method in the worker processes
sys.argv = ["dramatiq", "--processes", "1", "--threads", "4", "--skip-logging", "actors.app"]
runpy.run_module("dramatiq", run_name="__main__")
