"""The real processes of Fanfare, started by tests on free ports, and what a test asks of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import requests
import sqlalchemy
from databases import Rows
from waiting import until

from local.ports import Ports
from settings import ROOT

COMMANDS = {
    "bridge": ["-m", "bridge.simulator"],
    "api": ["-m", "api"],
    "worker": ["-m", "actors.worker"],
    "dispatcher": ["-m", "actors.dispatcher"],
    "console": ["-m", "console"],
    "repeating": ["tests/repeating_dispatcher.py"],
    "hasty": ["-c", "from actors import worker; worker.SHUTDOWN_MS = 1500; worker.main()"],
}
FIRST_PORT = 20_000
SECRETS = {
    "BRIDGE_SECRET": "the secret of the bridge",
    "EVENTS_SECRET": "the secret of the events",
    "API_TOKEN": "the token of the tests",
    "CONSOLE_PASSWORD": "the password of the tests",
}


class Fleet(Rows):
    """Processes by name: ``worker`` and ``worker-2`` both run the worker's command. Settings go to all of them."""

    def __init__(self, folder: Path, database_url: str, redis_url: str, **settings: Any) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        # Below those that the system gives to connections, and reserved: fleets of other processes choose at the same time.
        self._ports = Ports(folder / "ports.json")
        self.bridge_url, self.api_url, self.console_url = (
            f"http://127.0.0.1:{self._ports.take(name, FIRST_PORT)}" for name in ("bridge", "api", "console")
        )
        self.engine = sqlalchemy.create_engine(
            database_url.replace("postgresql://", "postgresql+psycopg2://"), pool_size=5
        )
        self.settings = {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "BRIDGE_URL": self.bridge_url,
            "EVENTS_URL": f"{self.api_url}/events/bridge",
            "API_PORT": self.api_url.rsplit(":", 1)[1],
            "CONSOLE_PORT": self.console_url.rsplit(":", 1)[1],
            "SIMULATOR_PORT": self.bridge_url.rsplit(":", 1)[1],
            "DATA_DIR": str(folder),
            "SIMULATOR_LATENCY_MS": "5",
            **SECRETS,
            **{name.upper(): str(value) for name, value in settings.items()},
        }

    def start(self, *names: str, **settings: Any) -> Fleet:
        """Start processes, these settings going before the fleet's, and wait for those that answer over HTTP."""
        own = {name.upper(): str(value) for name, value in settings.items()}
        for name in names:
            self._spawn(name, own)
        if "bridge" in names:
            self._answers("bridge", f"{self.bridge_url}/healthz")
        if "api" in names:
            self._answers("api", f"{self.api_url}/readyz")
        if "console" in names:
            self._answers("console", f"{self.console_url}/_stcore/health")
        return self

    def _spawn(self, name: str, own: dict[str, str]) -> None:
        log = (self.folder / f"{name}.log").open("ab")
        self.processes[name] = subprocess.Popen(
            [sys.executable, *COMMANDS[name.split("-", maxsplit=1)[0]]],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", **self.settings, **own},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()

    def _answers(self, name: str, url: str) -> None:
        def answers() -> bool:
            assert self.processes[name].poll() is None, f"{name} ended:\n{self.log(name)}"
            try:
                return requests.get(url, timeout=2).ok
            except requests.RequestException:
                return False

        until(answers, f"{name} answers", within_s=30)

    def pids(self, name: str) -> list[int]:
        """The process ids of a process and all its children: a worker is a master and what it forked."""
        process = self.processes[name]
        found = [process.pid]
        for pid in found:
            try:
                children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            except FileNotFoundError:
                continue
            found += [int(child) for child in children]
        return found

    def signal(self, name: str, number: int) -> None:
        """Send a signal to a process and all its children."""
        for pid in self.pids(name):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue

    def kill(self, name: str) -> None:
        """SIGKILL a process with its children and wait until it is gone."""
        self.signal(name, signal.SIGKILL)
        self.processes.pop(name).wait(10)

    def stop(self) -> None:
        for name, process in self.processes.items():
            if process.poll() is None:
                self.signal(name, signal.SIGCONT)
                self.signal(name, signal.SIGKILL)
        for process in self.processes.values():
            process.wait(10)
        self.processes.clear()
        self.engine.dispose()
        self._ports.release()

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def api(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {SECRETS['API_TOKEN']}", **more.pop("headers", {})}
        return requests.request(method, f"{self.api_url}{path}", json=body, headers=headers, timeout=60, **more)

    def bridge(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the simulator; returns the JSON of its answer."""
        answer = requests.request(
            method,
            f"{self.bridge_url}{path}",
            json=body,
            headers={"X-Internal-Secret": SECRETS["BRIDGE_SECRET"]},
            timeout=30,
        )
        answer.raise_for_status()
        return answer.json()

    def sessions_can_send(self, *sessions: str) -> None:
        """Start sessions at the simulator, which pair by themselves, and wait until they can send."""
        for session in sessions:
            self.bridge("POST", f"/whatsapp/{session}/start")

        def able() -> bool:
            told = {status["session"]: status for status in self.bridge("GET", "/whatsapp")["sessions"]}
            return all(told[session]["can_send"] for session in sessions)

        until(able, "sessions can send")

    def ended(self, campaign_id: int, within_s: float = 60) -> str:
        """Wait for the end of a campaign; returns how it ended."""
        return str(
            until(
                lambda: self.one(
                    "SELECT CASE WHEN finished_at IS NOT NULL THEN status END FROM campaigns WHERE id = :id",
                    id=campaign_id,
                ),
                f"campaign {campaign_id} ends: {self.counts(campaign_id)}",
                within_s,
            )
        )

    def counts(self, campaign_id: int) -> dict[str, int]:
        """Messages of a campaign by state, now."""
        return dict(
            self.rows("SELECT status, count(*) FROM messages WHERE campaign_id = :id GROUP BY status", id=campaign_id)
        )

    def deliveries(self) -> list[dict[str, Any]]:
        """Every hand-over that the simulator's ledger has, in the order in which they began."""
        people = self.bridge("GET", "/ledger")["people"]
        found = [delivery for person in people for delivery in person["deliveries"]]
        return sorted(found, key=lambda delivery: str(delivery["started_at"]))

    def received(self) -> dict[str, int]:
        """How often each person received something, by E.164 number, from the simulator's ledger."""
        people = self.bridge("GET", "/ledger")["people"]
        return {"+" + person["to"].split("@")[0]: person["times"] for person in people}
