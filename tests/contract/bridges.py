"""Bridges as real processes, a client that knows nothing but HTTP, and a receiver for their events."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import requests
from waiting import until

from settings import ROOT

SECRET = "a secret of the tests"
EVENTS_SECRET = "a secret of the events"
_numbers = count(1)


def fresh(ending: str | None = None) -> str:
    """The address of a person whom no other test writes to; the ending chooses a behaviour of the simulator."""
    return f"97250{next(_numbers):04d}{ending or '00000'}@s.whatsapp.net"


def text_to(to: str, key: str | None = None, **more: Any) -> dict[str, Any]:
    """The body of a send."""
    key = key or f"{next(_numbers)}.1"
    return {"key": key, "to": to, "kind": "text", "text": f"Hello {key}", "media": None, "deadline_s": 30} | more


class Client:
    """Plain requests against a bridge; each call is one connection, so that it can be used from any thread."""

    def __init__(self, url: str, secret: str | None = SECRET) -> None:
        self.url = url
        self._headers = {} if secret is None else {"X-Internal-Secret": secret}

    def get(self, path: str) -> requests.Response:
        return requests.get(self.url + path, headers=self._headers, timeout=20)

    def post(self, path: str, body: Any = None, timeout_s: float = 20) -> requests.Response:
        return requests.post(self.url + path, json=body, headers=self._headers, timeout=timeout_s)

    def send(self, session: str, body: dict[str, Any], timeout_s: float = 20) -> requests.Response:
        return self.post(f"/whatsapp/{session}/messages", body, timeout_s)

    def key(self, session: str, key: str) -> requests.Response:
        return self.get(f"/whatsapp/{session}/messages/{key}")

    def state(self, session: str, key: str) -> str:
        body = self.key(session, key).json()
        return str(body.get("state") or body["error"])

    def close(self, session: str, key: str) -> requests.Response:
        return self.post(f"/whatsapp/{session}/messages/{key}/close")

    def status(self, session: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.get(f"/whatsapp/{session}/status").json()
        return answer

    def received(self, to: str) -> list[dict[str, Any]]:
        """What a person was handed, by the simulator's ledger."""
        people = self.get(f"/ledger?to={to}").json()["people"]
        return list(people[0]["deliveries"]) if people else []


class Bridge(Client):
    """A bridge to test against: its sessions are made ready several at a time."""

    def __init__(self, url: str, at_a_time: int, secret: str = SECRET) -> None:
        super().__init__(url, secret)
        self._at_a_time = at_a_time
        self._ready: list[str] = []

    def new_session(self) -> str:
        """A session that can send and that no other test uses."""
        if not self._ready:
            ready = [f"session-{next(_numbers)}" for _ in range(self._at_a_time)]
            self.make_ready(ready)
            self._ready = ready
        return self._ready.pop()

    def make_ready(self, sessions: Sequence[str]) -> None:
        """Start new sessions and wait until they can send: a simulated phone pairs by itself."""
        for session in sessions:
            self.post(f"/whatsapp/{session}/start")
        self.until_able(*sessions)

    def until_able(self, *sessions: str, within_s: float = 30) -> None:
        """Wait until all of these can send."""

        def all_able() -> bool:
            told = self.get("/whatsapp").json()["sessions"]
            return {one["session"] for one in told if one["can_send"]}.issuperset(sessions)

        until(all_able, f"{len(sessions)} sessions can send", within_s)


class Simulator:
    """A simulator process of its own."""

    def __init__(self, data_dir: Path, sessions_at_a_time: int, /, **settings: str) -> None:
        self.data_dir = data_dir
        self._sessions_at_a_time = sessions_at_a_time
        self._settings = {"BRIDGE_SECRET": SECRET, "SIMULATOR_LATENCY_MS": "20"} | settings
        self.start()

    def start(self, **settings: str) -> None:
        self._settings |= settings
        self.process = launch(self.data_dir, **self._settings)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert "simulator on http" in line, line
        self.bridge = Bridge(line.split()[-1], self._sessions_at_a_time)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """The exit code after SIGTERM."""
        return self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        code = self.process.wait(timeout=10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


def launch(data_dir: Path, **settings: str) -> subprocess.Popen[str]:
    """``python -m bridge.simulator`` on a free port, with nothing but these settings in its environment."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment = kept | {"DATA_DIR": str(data_dir), "SIMULATOR_PORT": "0", "PYTHONUNBUFFERED": "1"} | settings
    return subprocess.Popen(
        [sys.executable, "-m", "bridge.simulator"],
        env=environment,
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


@contextmanager
def simulator(data_dir: Path, sessions_at_a_time: int = 1, /, **settings: str) -> Iterator[Simulator]:
    """A simulator process for as long as the block lasts."""
    running = Simulator(data_dir, sessions_at_a_time, **settings)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.kill()


class Receiver:
    """A real HTTP server that takes events; ``answers`` are given first, one a post, and then 204."""

    def __init__(self, port: int = 0) -> None:
        self.events: list[dict[str, Any]] = []
        self.bad_signatures = 0
        self.answers: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(receiver.take(body, self.headers.get("X-Signature", "")))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.settings = {"EVENTS_URL": f"http://127.0.0.1:{self.port}/events/bridge", "EVENTS_SECRET": EVENTS_SECRET}
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def take(self, body: bytes, signature: str) -> int:
        expected = "sha256=" + hmac.new(EVENTS_SECRET.encode(), body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(signature, expected):
            self.bad_signatures += 1
            return 401
        self.events.append(json.loads(body))
        return self.answers.pop(0) if self.answers else 204

    def receipts(self, key: str) -> list[str]:
        """The statuses of a key's receipts in the order in which they came."""
        return [event["data"]["status"] for event in self.events if event["data"].get("key") == key]

    def of(self, session: str, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if (event["session"], event["type"]) == (session, kind)]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
