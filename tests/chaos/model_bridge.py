"""A bridge as the contract describes it (design: bridge contract), small enough to be read whole; no code of the simulator.

It knows the truth that no sender can see: whom each key was handed to. Sends stop where a fate says, and go on later.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from bridge.protocol import (
    BridgeAwayError,
    Closed,
    InDoubt,
    KeyState,
    NotSent,
    Outbound,
    Roster,
    SendResult,
    Sent,
    SessionStatus,
)

OPEN = "open"
HOUR_S = 3600.0


class Fate(Enum):
    """What becomes of one send."""

    SENT = auto()
    ANSWER_LOST = auto()
    DIES_RESERVED = auto()
    DIES_DISPATCHING = auto()
    DIES_HANDED_OVER = auto()
    REFUSED = auto()
    REFUSED_FOR_EVER = auto()
    THROTTLED = auto()
    LOGGED_OUT = auto()
    GOES_AWAY = auto()
    FORGETS_ALL = auto()
    SLOW_RESERVED = auto()
    SLOW_DISPATCHING = auto()


@dataclass
class Entry:
    """What the ledger knows of one key. ``answer`` is what its first POST was told."""

    body: tuple[str, str] | None
    state: KeyState
    updated_at: float
    answer: SendResult | None = None


@dataclass
class ModelBridge:
    """``clock`` gives seconds; ``handed_over`` are all keys whose person has the message, in order, for ever; ``calls`` are
    the keys that are being sent."""

    clock: Callable[[], float]
    sessions: dict[str, str]
    answers: bool = True
    keys: dict[str, Entry] = field(default_factory=dict)
    handed_over: list[str] = field(default_factory=list)
    calls: set[str] = field(default_factory=set)
    conflicts: list[str] = field(default_factory=list)
    ever_closed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.since = self.clock() - HOUR_S

    def send(self, outbound: Outbound, fate: Fate) -> SendResult | None:
        """Answer a POST; None while it is still at it."""
        if not self.answers:
            return NotSent("bridge_unreachable", "the bridge does not answer", "refused", retryable=True)
        body = (outbound.to, outbound.content)
        entry = self.keys.get(outbound.key)
        if entry is not None and (told := self._known(outbound.key, entry, body)) is not None:
            return told
        if (state := self.sessions[outbound.session]) != OPEN:
            return NotSent(state, "the device cannot send", "answer", retryable=True)
        entry = self.keys[outbound.key] = Entry(body, KeyState.RESERVED, self.clock())
        return self._reserved(outbound.key, entry, outbound.session, fate)

    def go_on(self, key: str, *, lose_answer: bool) -> SendResult | None:
        """A slow send takes one step; None while it is still at it."""
        entry = self.keys[key]
        if entry.state is KeyState.RESERVED:
            self._to(entry, KeyState.DISPATCHING)
            return None
        self.calls.discard(key)
        if entry.state is KeyState.CLOSED:
            return NotSent("key_closed", "closed", "closed", retryable=True)
        self.handed_over.append(key)
        self._to(entry, KeyState.SENT, Sent(f"wa {key}", 0.1))
        return InDoubt("no_answer", "broken") if lose_answer else entry.answer

    def close(self, key: str) -> Closed:
        """Close a key for ever, unless it may have gone out."""
        if not self.answers:
            raise BridgeAwayError("bridge_unreachable", "the bridge does not answer")
        entry = self.keys.setdefault(key, Entry(None, KeyState.RESERVED, self.clock()))
        # A key that is closed already is closed anew: the ledger's age is that of this answer, not of the first one.
        if entry.state in (KeyState.RESERVED, KeyState.FAILED, KeyState.CLOSED):
            self._to(entry, KeyState.CLOSED, entry.answer)
            self.ever_closed.add(key)
        found = f"wa {key}" if entry.state in (KeyState.SENT, KeyState.DISPATCHING) else None
        code = entry.answer.code if isinstance(entry.answer, NotSent) else None
        return Closed(entry.state, found, code, entry.updated_at - self.since)

    def look(self) -> Roster:
        """The health of all sessions."""
        if not self.answers:
            raise BridgeAwayError("bridge_unreachable", "the bridge does not answer")
        statuses = [
            SessionStatus(name, state, state == OPEN, state == OPEN, state == "logged_out", 60, None, None, None)
            for name, state in self.sessions.items()
        ]
        return Roster("simulator", statuses)

    def forget_all(self) -> None:
        """The ledger is lost, and with it the process: what was being sent is sent no further."""
        self.keys.clear()
        self.calls.clear()
        self.since = self.clock()

    def fail(self, key: str) -> bool:
        """WhatsApp says that a key which may have gone out did not; False when that would not be the truth."""
        entry = self.keys.get(key)
        if entry is None or key in self.calls or key in self.handed_over or entry.state is not KeyState.DISPATCHING:
            return False
        self._to(entry, KeyState.FAILED, NotSent("provider_error", "no", "answer", retryable=False))
        return True

    def _known(self, key: str, entry: Entry, body: tuple[str, str]) -> SendResult | None:
        if entry.state is KeyState.CLOSED:
            return NotSent("key_closed", "closed", "closed", retryable=True)
        if entry.body != body:
            self.conflicts.append(key)
            return InDoubt("key_conflict", "same key, different body")
        if key in self.calls:
            return InDoubt("in_flight", "being sent")
        return InDoubt("send_timeout", "may have gone out") if entry.state is KeyState.DISPATCHING else entry.answer

    def _reserved(self, key: str, entry: Entry, session: str, fate: Fate) -> SendResult | None:
        broken = InDoubt("no_answer", "broken")
        match fate:
            case Fate.SENT | Fate.ANSWER_LOST | Fate.FORGETS_ALL:
                self.handed_over.append(key)
                self._to(entry, KeyState.SENT, Sent(f"wa {key}", 0.1))
                if fate is Fate.FORGETS_ALL:
                    self.forget_all()
                return entry.answer if fate is Fate.SENT else broken
            case Fate.DIES_RESERVED:
                return broken
            case Fate.DIES_DISPATCHING:
                self._to(entry, KeyState.DISPATCHING)
                return broken
            case Fate.DIES_HANDED_OVER:
                self._to(entry, KeyState.DISPATCHING)
                self.handed_over.append(key)
                return broken
            case Fate.REFUSED:
                self._to(entry, KeyState.FAILED, NotSent("provider_error", "no", "answer", retryable=True))
            case Fate.REFUSED_FOR_EVER:
                self._to(entry, KeyState.FAILED, NotSent("not_on_whatsapp", "no", "answer", retryable=False))
            case Fate.THROTTLED:
                self._to(
                    entry, KeyState.FAILED, NotSent("throttled", "slower", "answer", retryable=True, retry_after_s=300)
                )
            case Fate.LOGGED_OUT:
                del self.keys[key]
                self.sessions[session] = "logged_out"
                return NotSent("logged_out", "logged out", "answer", retryable=True)
            case Fate.GOES_AWAY:
                self.answers = False
                return broken
            case Fate.SLOW_RESERVED:
                self.calls.add(key)
                return None
            case Fate.SLOW_DISPATCHING:
                self._to(entry, KeyState.DISPATCHING)
                self.calls.add(key)
                return None
        return entry.answer

    def _to(self, entry: Entry, state: KeyState, answer: SendResult | None = None) -> None:
        entry.state, entry.answer, entry.updated_at = state, answer, self.clock()
