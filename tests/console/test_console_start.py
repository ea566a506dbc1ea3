"""``python -m console`` as a process: checked settings, a server that answers, signals that arrive."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from waiting import until

from local.ports import any_free_port
from settings import ROOT

COMMAND = [sys.executable, "-m", "console"]


def test_it_serves_until_it_is_told_to_end(database_url: str, tmp_path: Path) -> None:
    port = any_free_port()
    log = tmp_path / "console.log"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "DATABASE_URL": database_url,
        "CONSOLE_PASSWORD": "a password for tests",
        "CONSOLE_PORT": str(port),
        "BRIDGE_URL": "http://127.0.0.1:9",
        "BRIDGE_SECRET": "the secret of the bridge",
    }
    with log.open("wb") as out:
        process = subprocess.Popen(COMMAND, cwd=ROOT, env=environment, stdout=out, stderr=out)

    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            return requests.get(f"http://127.0.0.1:{port}/_stcore/health", timeout=2).ok
        except requests.RequestException:
            return False

    try:
        until(answers, "the console answers", within_s=40)
        assert requests.get(f"http://127.0.0.1:{port}/", timeout=5).ok
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) in (0, -signal.SIGTERM)
    finally:
        process.kill()
        process.wait(10)
    assert "a password for tests" not in log.read_text()
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize("missing", ["DATABASE_URL", "CONSOLE_PASSWORD", "BRIDGE_URL", "BRIDGE_SECRET"])
def test_what_is_missing_is_said_in_one_line(missing: str) -> None:
    given = {
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "CONSOLE_PASSWORD": "a password for tests",
        "BRIDGE_URL": "http://127.0.0.1:9",
        "BRIDGE_SECRET": "the secret of the bridge",
    }
    del given[missing]
    ended = subprocess.run(
        COMMAND,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **given},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert re.fullmatch(rf"fanfare: {missing} is not set: .*\n", ended.stderr)
