"""The API as its clients meet it: a real server on a free port, asked over HTTP."""

from __future__ import annotations

import base64
import random
import socket
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import requests
import uvicorn
from databases import Rows
from fleet import SECRETS, Fleet
from sqlalchemy import Engine
from waiting import until

from api.app import THREADS, build
from api.connection import Connection
from bridge.protocol import InDoubt, NotSent, SendResult, Sent
from db.engine import connect, run
from services import deliver, distribute
from settings import Settings

CLOUD_TOKEN_KEY = base64.b64encode(b"the key that seals tokens: 32 by").decode()
_sessions = count(1)
_rng = random.Random(1)
_people: dict[str, Iterator[int]] = defaultdict(lambda: count(1))  # by the ending of their numbers


class Simulator:
    """The simulated bridge, a process of its own; sessions that can send are made a dozen at a time."""

    def __init__(self, folder: Path) -> None:
        self._fleet = Fleet(folder, "postgresql://nobody@127.0.0.1:1/nothing", "redis://127.0.0.1:1")
        self.url = self._fleet.bridge_url
        self._ready: list[str] = []

    def start(self) -> None:
        self._fleet.start("bridge")

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        return self._fleet.bridge(method, path, body)

    def stop(self) -> None:
        self._fleet.stop()

    def session(self) -> str:
        """A session that can send and that no other test uses."""
        if not self._ready:
            self._ready = [new_session() for _ in range(12)]
            self._fleet.sessions_can_send(*self._ready)
        return self._ready.pop()

    def can_send(self, session: str) -> bool:
        return bool(self.ask("GET", f"/whatsapp/{session}/status")["can_send"])


class Api(Rows):
    """The API in a thread, over a database of the test's own."""

    def __init__(self, engine: Engine, database_url: str, simulator: Simulator, **settings: Any) -> None:
        self.engine = engine
        self._simulator = simulator
        chosen = {
            "database_url": database_url,
            "bridge_url": simulator.url,
            **{name.lower(): value for name, value in SECRETS.items()},
            **settings,
        }
        self._server = uvicorn.Server(
            uvicorn.Config(
                build(Settings(_env_file=None, **chosen), connect(database_url, threads=THREADS + 2, name="api")),
                http=Connection,
                ws="none",
                log_config=None,
            )
        )
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listener]})

    def start(self) -> None:
        self._thread.start()
        until(lambda: self._server.started, "the API is started", every_s=0.01)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()

    def ask(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {SECRETS['API_TOKEN']}", **more.pop("headers", {})}
        return requests.request(method, self.url + path, json=body, headers=headers, timeout=30, **more)

    def get(self, path: str, **more: Any) -> requests.Response:
        return self.ask("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> requests.Response:
        return self.ask("POST", path, body, **more)

    def waits_for_a_lock(self) -> bool:
        """Whether some transaction of the test's database waits for another."""
        return bool(
            self.one(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
        )

    def device(self, **more: Any) -> dict[str, Any]:
        """A new device whose session can send."""
        body = {"name": "Phone", "provider": "simulator", "session": self._simulator.session(), **more}
        device: dict[str, Any] = answered(self.post("/api/devices", body), 201)
        return device

    def launch(self, recipients: Iterable[Any], **more: Any) -> dict[str, Any]:
        """Launch to these; returns the answer."""
        body = {"message": f"Hello {next(_people[''])}", "recipients": list(recipients), **more}
        launched: dict[str, Any] = answered(self.post("/api/broadcasts", body), 202)
        return launched

    def send_all(self, broadcast_id: int, **results: SendResult) -> None:
        """What the engine does, by its services: send to everybody who waits; ``results`` by last digits as ``n123``."""
        run(self.engine, lambda db: distribute.distribute(db, broadcast_id))
        for (device_id,) in self.rows("SELECT id FROM devices"):
            while begun := self.begin(device_id):
                given = (result for end, result in results.items() if begun.phone.endswith(end[1:]))
                result = next(given, Sent(f"wa-{begun.key}", 0.01))
                run(self.engine, partial(deliver.record, begun=begun, result=result, max_attempts=1, rng=_rng))
                self.execute("UPDATE messages SET slot = NULL WHERE slot IS NOT NULL AND status <> 'processing'")

    def send_one(self, broadcast_id: int) -> None:
        """Begin and send the first message only."""
        run(self.engine, lambda db: distribute.distribute(db, broadcast_id))
        begun = self.begin(self.one("SELECT min(id) FROM devices"))
        assert begun is not None
        run(self.engine, partial(deliver.record, begun=begun, result=Sent("wa", 0.01), max_attempts=1, rng=_rng))

    def begin(self, device_id: int) -> deliver.Begun | None:
        """Let a worker take the device's next message."""
        self.execute(
            "UPDATE devices SET next_send_at = clock_timestamp(), can_send = true WHERE id = :id", id=device_id
        )
        return run(self.engine, lambda db: deliver.begin(db, device_id, 0, worker_id="tests", lease_s=40, rng=_rng))


NOT_ON_WHATSAPP = NotSent("not_on_whatsapp", "not_on_whatsapp", "answer", retryable=False)
IN_DOUBT = InDoubt("no_answer", "connection lost")


def answered(response: requests.Response, status: int) -> Any:
    """The JSON of an answer that must have this status."""
    assert response.status_code == status, (response.status_code, response.text[:1000])
    return response.json()


def refused(response: requests.Response, status: int, code: str) -> dict[str, Any]:
    """The details of an error, in the one form of all errors."""
    body = answered(response, status)
    assert set(body) == {"error_code", "message", "details"}
    assert body["error_code"] == code, body
    assert body["message"]
    assert "Traceback" not in response.text
    details: dict[str, Any] = body["details"]
    return details


def new_session() -> str:
    return f"api-{next(_sessions)}"


def people(how_many: int, ending: str = "") -> list[str]:
    """Valid numbers of people whom no other test writes to."""
    return [f"+97250{next(_people[ending]):0{7 - len(ending)}d}{ending}" for _ in range(how_many)]
