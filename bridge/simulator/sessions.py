"""Sessions: each one a simulated phone that pairs, connects, drops, is restricted or banned, and comes back.

    closed → starting → qr → scanned → open        (starting → open once it is paired)

``closed``, ``logged_out`` and ``banned`` stay until someone starts the session; every other state ends by itself,
except the QR of a session whose name ends in ``-qr``, which waits to be scanned.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bridge.simulator.contract import iso_or_none
from bridge.simulator.outbox import Outbox
from bridge.simulator.store import Store

STARTING_S = 0.3
SCANNED_AFTER_S, OPEN_AFTER_S = 0.4, 0.3
QR_LIFE_S = 5.0
AWAY_S = 2.0
RESTRICTED_S = 5.0
RESTING = ("closed", "logged_out", "banned")


@dataclass(slots=True)
class Session:
    """What is known of one session; times are Unix times."""

    name: str
    state: str = "closed"
    paired: bool = False
    phone: str | None = None
    last_error: str | None = None
    restricted_until: float | None = None
    opened_at: float | None = None
    qr: str | None = None
    qr_expires_at: float = 0.0
    last_message_at: float | None = None
    active_sends: int = 0
    idle_since: float = field(default_factory=time.time)
    next_step: asyncio.TimerHandle | None = None
    pardon: asyncio.TimerHandle | None = None

    @property
    def needs_qr(self) -> bool:
        return not self.paired and self.state not in ("starting", "scanned")

    def problem(self) -> str | None:
        """The error code of a send now, or None when it can send."""
        if self.state == "open":
            return "restricted" if self.restricted_until is not None else None
        if self.state in ("logged_out", "banned"):
            return self.state
        return "not_connected" if self.paired or self.state in ("closed", "starting") else "qr_required"

    def status(self, now: float) -> dict[str, Any]:
        """The status of the contract."""
        return {
            "connected": self.state == "open",
            "can_send": self.problem() is None,
            "session_age": int(now - self.opened_at) if self.opened_at is not None else 0,
            "last_message_ts": iso_or_none(self.last_message_at),
            "qr_required": self.needs_qr,
            "phone": self.phone,
            "state": self.state,
            "last_error": self.last_error,
            "restricted_until": iso_or_none(self.restricted_until),
        }

    def sending_status(self, now: float) -> dict[str, Any]:
        idle_s = 0.0 if self.active_sends else round(now - self.idle_since, 3)
        return {"is_sending": self.active_sends > 0, "active_sends": self.active_sends, "idle_seconds": idle_s}


class Sessions:
    """All sessions of the process; every change of state is written down and told, in one commit."""

    def __init__(self, store: Store, outbox: Outbox) -> None:
        self._store = store
        self._outbox = outbox
        self._all: dict[str, Session] = {}

    def load(self, last_messages: dict[str, float]) -> None:
        """Take up the sessions of the process before; those that were at work connect again."""
        rows = self._store.read("SELECT name, state, paired, phone, last_error, restricted_until FROM sessions")
        for name, state, paired, phone, last_error, restricted_until in rows:
            session = Session(name, state, bool(paired), phone, last_error, restricted_until)
            session.last_message_at = last_messages.get(name)
            self._all[name] = session
            if restricted_until is not None:
                self._pardon_at(session, restricted_until)
            if state not in RESTING:
                self.connect(session)

    def get(self, name: str) -> Session | None:
        return self._all.get(name)

    def all(self) -> list[Session]:
        return list(self._all.values())

    def start(self, name: str) -> Session:
        """Make the session if it is new, and connect it if it rests."""
        session = self._all.setdefault(name, Session(name))
        if session.state in RESTING:
            self.connect(session)
        return session

    def connect(self, session: Session, after_s: float = STARTING_S, error: str | None = None) -> None:
        """Open a paired session after a while; show a QR code for one that is not."""
        self._enter(session, "starting", error)
        self._then(session, after_s, self._open if session.paired else self._show_qr)

    def scan(self, session: Session, phone: str | None = None) -> None:
        """The phone has read the QR code, or the owner has typed the pairing code into it."""
        if phone:
            session.phone = phone
        self._enter(session, "scanned")
        self._then(session, OPEN_AFTER_S, self._open)

    def disconnect(self, session: Session) -> None:
        self._enter(session, "closed")

    def log_out(self, session: Session, state: str = "logged_out", error: str | None = None) -> None:
        """Forget the pairing; ``state`` is logged_out or banned."""
        session.paired, session.phone = False, None
        self._enter(session, state, error)

    def suffer(self, session: Session, problem: str) -> None:
        """Let one of the five problems of a device happen to it, or another computer take it over."""
        if problem == "not_connected":
            self.connect(session, AWAY_S, problem)
        elif problem == "restricted":
            session.restricted_until = time.time() + RESTRICTED_S
            self._pardon_at(session, session.restricted_until)
            self._enter(session, session.state, problem, keep_step=True)
        elif problem == "qr_required":
            session.paired, session.phone = False, None
            self._show_qr(session)
        elif problem == "replaced":
            self._enter(session, "closed", problem)
        else:
            self.log_out(session, problem, problem)

    def _open(self, session: Session) -> None:
        session.paired = True
        session.phone = session.phone or _number(session.name)
        session.opened_at = time.time()
        self._enter(session, "open", "restricted" if session.restricted_until is not None else None)

    def _show_qr(self, session: Session) -> None:
        session.qr = f"2@{secrets.token_urlsafe(96)}"
        session.qr_expires_at = time.time() + QR_LIFE_S
        self._enter(session, "qr", session.last_error)
        if session.name.endswith("-qr"):
            self._then(session, QR_LIFE_S, self._show_qr)
        else:
            self._then(session, SCANNED_AFTER_S, self.scan)

    def _pardon_at(self, session: Session, moment: float) -> None:
        if session.pardon is not None:
            session.pardon.cancel()
        session.pardon = asyncio.get_running_loop().call_later(max(moment - time.time(), 0), self._pardon, session)

    def _pardon(self, session: Session) -> None:
        session.restricted_until = session.pardon = None
        self._enter(session, session.state, keep_step=True)

    def _then(self, session: Session, after_s: float, step: Callable[[Session], None]) -> None:
        session.next_step = asyncio.get_running_loop().call_later(after_s, step, session)

    def _enter(self, session: Session, state: str, error: str | None = None, *, keep_step: bool = False) -> None:
        """Be in a state, write it down and tell it; whatever was to come next is off unless ``keep_step``."""
        if session.next_step is not None and not keep_step:
            session.next_step.cancel()
            session.next_step = None
        session.state, session.last_error = state, error
        if state != "qr":
            session.qr = None
        if state != "open":
            session.opened_at = None
        self._store.write(
            "INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?, ?, ?)",
            session.name,
            state,
            session.paired,
            session.phone,
            error,
            session.restricted_until,
        )
        now = time.time()
        self._outbox.put(secrets.token_hex(12), session.name, "connection", now, session.status(now))


def _number(name: str) -> str:
    """The phone number of a simulated phone: the same for a session's name each time."""
    digits = int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "big") % 10_000_000
    return f"+97250{digits:07d}"
