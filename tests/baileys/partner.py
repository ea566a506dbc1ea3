"""The Baileys sidecar as a real process, and the fake WhatsApp that its sessions are linked to."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import requests
from bridges import SECRET, Bridge
from waiting import until

from settings import ROOT

AUTH_KEY = base64.b64encode(bytes(range(32))).decode()
READY_S = 30.0
_phones = count(1)


def new_phone() -> str:
    """The number of a phone of ours that nobody has linked yet, digits only."""
    return f"97254{next(_phones):07d}"


class FakeWhatsApp:
    """The fake server as a process of its own: it outlives the sidecar, and knows what each person got."""

    def __init__(self, folder: Path) -> None:
        with (folder / "whatsapp.log").open("ab") as log:
            self.process = _node(
                "test/fake/main.js",
                {"FAKE_PORT": "0", "FAKE_CONTROL_PORT": "0"},
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the fake server ended:\n{(folder / 'whatsapp.log').read_text()}"
        told = json.loads(line)
        self.settings = {
            "BAILEYS_TEST_MODE": "1",
            "BAILEYS_TEST_URL": told["whatsapp"],
            "BAILEYS_MEDIA_TEST_CA": told["ca"],
            "NODE_EXTRA_CA_CERTS": told["ca"],
        }
        self.control = told["control"]
        self._http = requests.Session()

    def stop(self) -> None:
        self._http.close()
        self.process.terminate()
        try:
            self.process.wait(10)
        finally:
            self.process.kill()
            self.process.wait()
            assert self.process.stdout is not None
            self.process.stdout.close()

    def behave(self, **behaviour: Any) -> None:
        """How people and the server behave from now on: ack, drop, receipts, retry (see test/fake)."""
        self._post("behaviour", **behaviour)

    def close(self, phone: str, code: int, how: str = "stream", **more: Any) -> None:
        """Close the connection of the device that is linked to this phone of ours."""
        self._post("close", session_phone=phone, code=code, **{"as": how}, **more)

    def scan(self, qr: str, phone: str) -> None:
        self._post("scan", qr=qr, phone=phone)

    def pair(self, code: str, phone: str) -> None:
        self._post("pair", code=code, phone=phone)

    def person(self, phone: str, **more: Any) -> None:
        self._post("people", phone=phone, **more)

    def inbound(self, phone: str, sender: str, **more: Any) -> None:
        """Somebody writes to a phone of ours."""
        self._post("inbound", session_phone=phone, **{"from": sender}, **more)

    def receipt(self, message_id: str, status: str, **more: Any) -> None:
        self._post("receipt", message_id=message_id, status=status, **more)

    def received(self, to: str) -> list[dict[str, Any]]:
        """What a person's phone could read, in order."""
        return list(self._get(f"received?phone={digits(to)}"))

    def times_received(self) -> dict[str, int]:
        """How many messages each person's phone could read, by digits."""
        times: dict[str, int] = {}
        for one in self._get("received"):
            times[one["phone"]] = times.get(one["phone"], 0) + int(one["times_id_seen"])
        return times

    def devices(self) -> dict[str, dict[str, Any]]:
        """The linked devices, by the phone of ours that they belong to."""
        return {one["phone"]: one for one in self._get("sessions")}

    def stats(self) -> dict[str, Any]:
        return dict(self._get("stats"))

    def _post(self, path: str, **body: Any) -> Any:
        answer = self._http.post(f"{self.control}/{path}", json=body, timeout=20)
        assert answer.ok, f"{path} {body}: {answer.status_code} {answer.text}"
        return answer.json()

    def _get(self, path: str) -> Any:
        answer = self._http.get(f"{self.control}/{path}", timeout=20)
        assert answer.ok, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()


class LinkedBridge(Bridge):
    """The contract as the sidecar serves it; its sessions are made ready by scanning their codes with new phones."""

    def __init__(self, url: str, whatsapp: FakeWhatsApp, at_a_time: int, secret: str = SECRET) -> None:
        super().__init__(url, at_a_time, secret)
        self.whatsapp = whatsapp
        self.phones: dict[str, str] = {}

    def make_ready(self, sessions: Sequence[str]) -> None:
        for session in sessions:
            self.phones[session] = new_phone()
            self.post(f"/whatsapp/{session}/start")
        waiting = set(sessions)

        def all_scanned() -> bool:
            for session in [one for one, state in self.states().items() if state == "qr" and one in waiting]:
                self.whatsapp.scan(self.qr(session), self.phones[session])
                waiting.discard(session)
            return not waiting

        until(all_scanned, "every code is scanned", within_s=60)
        self.until_able(*sessions)

    def link(self, session: str) -> str:
        """Start a session and scan its code; the phone of ours, digits only."""
        self.make_ready([session])
        return self.phones[session]

    def states(self) -> dict[str, str]:
        return {one["session"]: one["state"] for one in self.get("/whatsapp").json()["sessions"]}

    def qr(self, session: str) -> str:
        """What the code says that is on show, once it is."""

        def shown() -> str:
            answer = self.get(f"/whatsapp/{session}/qr")
            return str(answer.json()["qr"]) if answer.status_code == requests.codes.ok else ""

        return until(shown, f"{session} shows a code")

    @contextmanager
    def under_way(self, session: str, body: dict[str, Any]) -> Iterator[Future[requests.Response]]:
        """A send that is being handed over; its answer is there when the block ends."""
        with ThreadPoolExecutor(1) as thread:
            answer = thread.submit(self.send, session, body, 60)
            until(lambda: answer.done() or self.state(session, body["key"]) == "dispatching", "the send is handed over")
            yield answer

    def received(self, to: str) -> list[dict[str, Any]]:
        return self.whatsapp.received(to)


class Sidecar:
    """A sidecar process; its settings, and so its address where PORT is set, stay the same when it is started again."""

    def __init__(
        self, folder: Path, database_url: str, whatsapp: FakeWhatsApp, sessions_at_a_time: int = 1, /, **settings: str
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._log = folder / "sidecar.log"
        self._whatsapp = whatsapp
        self._settings = {
            "DATABASE_URL": database_url,
            "BRIDGE_SECRET": SECRET,
            "PORT": "0",
            "BAILEYS_AUTH_KEY": AUTH_KEY,
            "BAILEYS_CHECKS_PER_MINUTE": "10000",
            **whatsapp.settings,
            **settings,
        }
        self.process = self._spawn()
        self.bridge = LinkedBridge(
            self._address(0), whatsapp, sessions_at_a_time, secret=self._settings["BRIDGE_SECRET"]
        )

    def start(self, **settings: str) -> None:
        """Start it again; it may have got another port."""
        self._settings |= settings
        begin = len(self.output())
        self.process = self._spawn()
        self.bridge.url = self._address(begin)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def killed(self) -> None:
        """Wait until a failpoint has killed it."""
        assert self.process.wait(30) == -signal.SIGKILL

    def stop(self) -> int:
        """The exit code after SIGTERM."""
        self.process.terminate()
        return self.process.wait(30)

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def output(self) -> str:
        """All that it has ever written, to either stream."""
        return self._log.read_text(errors="replace")

    def end(self) -> None:
        """Leave nothing behind, in whatever state it is."""
        if self.process.poll() is None:
            self.kill()

    def _spawn(self) -> subprocess.Popen[str]:
        with self._log.open("ab") as log:
            return _node("src/main.js", self._settings, stdout=log, stderr=log)

    def _address(self, begin: int) -> str:
        def told() -> str:
            said = self.output()[begin:]
            assert self.process.poll() is None, f"the sidecar ended:\n{said}"
            lines = [line for line in said.splitlines() if "[BRIDGE] baileys on http" in line]
            return lines[0].split()[-1] if lines else ""

        return until(told, "the sidecar says where it listens", READY_S)


@contextmanager
def whatsapp(folder: Path) -> Iterator[FakeWhatsApp]:
    """A fake server for as long as the block lasts."""
    running = FakeWhatsApp(folder)
    try:
        yield running
    finally:
        running.stop()


@contextmanager
def sidecar(
    folder: Path, database_url: str, whatsapp: FakeWhatsApp, sessions_at_a_time: int = 1, /, **settings: str
) -> Iterator[Sidecar]:
    """A sidecar for as long as the block lasts."""
    running = Sidecar(folder, database_url, whatsapp, sessions_at_a_time, **settings)
    try:
        yield running
    finally:
        running.end()


def digits(address: str) -> str:
    """The number in an address, or of one that is written with a plus."""
    return address.partition("@")[0].removeprefix("+")


def _node(script: str, settings: dict[str, str], *, stdout: Any, stderr: Any) -> subprocess.Popen[str]:
    """A script of the sidecar's folder, with nothing but these settings in its environment."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.Popen(
        [sys.executable, "-m", "bridge.node", "run", script],
        cwd=ROOT,
        env=kept | settings,
        text=True,
        stdout=stdout,
        stderr=stderr,
    )
