"""``python -m api``: what it checks before it starts, how it ends, /healthz and /readyz."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
from fleet import SECRETS, Fleet
from serving import Api, Simulator, answered, refused
from sqlalchemy import Engine
from waiting import until

from local.ports import any_free_port
from settings import ROOT


def run(**settings: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end, with these settings over good ones."""
    good = {
        "DATABASE_URL": "postgresql://fanfare:x@127.0.0.1:9/fanfare",
        "REDIS_URL": "redis://127.0.0.1:9/0",
        "BRIDGE_URL": "http://127.0.0.1:9",
        "API_PORT": str(any_free_port()),
        **SECRETS,
    }
    environment = {name: value for name, value in (good | settings).items() if value != "unset"}
    return subprocess.run(
        [sys.executable, "-m", "api"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def one_line(ended: subprocess.CompletedProcess[str]) -> str:
    """What it said when it refused to start: one line, and nothing that is secret."""
    assert ended.returncode == 2, (ended.returncode, ended.stderr)
    (line,) = ended.stderr.splitlines()
    assert ended.stdout == ""
    assert not any(secret in line for secret in SECRETS.values())
    return line


@pytest.mark.parametrize(
    "name", ["DATABASE_URL", "REDIS_URL", "BRIDGE_URL", "BRIDGE_SECRET", "EVENTS_SECRET", "API_TOKEN"]
)
def test_a_setting_that_is_missing_is_named(name: str) -> None:
    assert f"{name} is not set" in one_line(run(**{name: "unset"}))


def test_an_empty_secret_is_refused() -> None:
    assert "API_TOKEN is empty" in one_line(run(API_TOKEN=" "))


def test_a_database_url_that_is_none() -> None:
    assert "DATABASE_URL is not an address" in one_line(run(DATABASE_URL="nonsense"))


def test_a_port_that_is_taken(database_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        line = one_line(run(DATABASE_URL=database_url, API_PORT=port))
    assert line.endswith(f"cannot listen on 127.0.0.1:{port}: Address already in use: choose another API_PORT or HOST")


def test_a_database_that_is_not_migrated(unmigrated: str) -> None:
    line = one_line(run(DATABASE_URL=unmigrated))
    assert "the database is at revision none" in line
    assert "make migrate" in line


def test_a_database_that_does_not_answer_is_waited_for_a_while() -> None:
    """It hangs up on whoever comes, as a Postgres does that is just starting."""
    came: list[float] = []
    with socket.create_server(("127.0.0.1", 0)) as closed:

        def hang_up() -> None:
            while True:
                try:
                    connection, _ = closed.accept()
                except OSError:
                    return
                came.append(time.monotonic())
                connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        line = one_line(run(DATABASE_URL=f"postgresql://fanfare:x@127.0.0.1:{closed.getsockname()[1]}/fanfare"))
        closed.shutdown(socket.SHUT_RDWR)
    thread.join()
    assert "Postgres does not answer at DATABASE_URL" in line
    assert came[-1] - came[0] > 3


def test_it_serves_until_sigterm(make_fleet: Callable[..., Fleet]) -> None:
    fleet = make_fleet().start("bridge", "api")
    device = answered(fleet.api("POST", "/api/devices", {"name": "A", "provider": "simulator", "session": "a"}), 201)

    def can_send() -> Any:
        return fleet.bridge("GET", "/whatsapp/a/status")["can_send"]

    until(can_send, "the session can send")
    launched = answered(fleet.api("POST", "/api/broadcasts", {"message": "Hello", "phones": ["0501234567", "5"]}), 202)
    assert (device["id"], launched["queued_count"]) == (1, 1)
    until(lambda: fleet.one("SELECT count(*) FROM events"), "the simulator's events have come in")
    process = fleet.processes["api"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    log = fleet.log("api")
    assert f"[WA_BROADCAST] broadcast={launched['broadcast_id']} job={launched['job_id']}" in log
    assert "Traceback" not in log
    assert "0501234567" not in log
    assert not any(secret in log for secret in SECRETS.values())


def test_alive_and_ready(api: Api) -> None:
    assert answered(requests.get(f"{api.url}/healthz", timeout=10), 200) == {"status": "ok"}
    assert answered(requests.get(f"{api.url}/readyz", timeout=10), 200) == {"status": "ok"}
    api.execute("UPDATE alembic_version SET version_num = '0001'")
    details = refused(requests.get(f"{api.url}/readyz", timeout=10), 503, "NOT_READY")
    assert "revision 0001" in details["database"]
    api.execute("UPDATE alembic_version SET version_num = '9999'")
    assert requests.get(f"{api.url}/readyz", timeout=10).status_code == 200


def test_not_ready_names_what_is_away_in_time(engine: Engine, simulator: Simulator) -> None:
    """Both take the connection and never say a word."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        api = Api(engine, f"postgresql://fanfare:x@{host}/fanfare", simulator, redis_url=f"redis://{host}/0")
        api.start()
        try:
            began = time.monotonic()
            details = refused(requests.get(f"{api.url}/readyz", timeout=10), 503, "NOT_READY")
            assert time.monotonic() - began < 4.5  # a connection by itself is given up after 5 s
            assert set(details) == {"database", "redis"}
            assert requests.get(f"{api.url}/healthz", timeout=10).status_code == 200
        finally:
            api.stop()
