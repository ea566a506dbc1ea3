"""What Fanfare asks of a bridge, and what it may conclude from the answers (design: bridge contract).

An answer to a send is a value, never an exception: ``Sent``, ``Accepted`` (its outcome will be told), ``NotSent`` (known,
with proof) or ``InDoubt``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Protocol

MediaKind = Literal["image", "video", "audio", "document"]


@dataclass(frozen=True, slots=True)
class Text:
    """Free text."""

    body: str


@dataclass(frozen=True, slots=True)
class File:
    """A file that goes out with a message. ``uploaded`` is the provider's id of it, when the session has uploaded it before;
    ``content`` may then be empty."""

    mimetype: str
    filename: str
    content: bytes = b""
    uploaded: str | None = None


@dataclass(frozen=True, slots=True)
class Media:
    """A file with an optional caption."""

    kind: MediaKind
    file: File
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """A template of Meta's with one person's values in it: ``components`` as Meta's API takes them, but for a header's file,
    which is ``header``."""

    name: str
    language: str
    components: tuple[dict[str, Any], ...] = ()
    header: Media | None = None


Content = Text | Media | Template


@dataclass(frozen=True, slots=True)
class Outbound:
    """One attempt to hand over. ``to`` is a WhatsApp address; ``key`` is the send key, the bridge's idempotency key."""

    session: str
    key: str
    to: str
    content: Content


@dataclass(frozen=True, slots=True)
class Sent:
    """The bridge says that it went out. ``duration_s`` is the bridge's own measure of the send."""

    provider_message_id: str
    duration_s: float


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has taken it, which does not say that it goes out: an event will tell."""

    provider_message_id: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """Known not to have gone out: ``proof`` is ``answer`` (the bridge says so), ``refused`` (nothing was written) or
    ``receipt`` (told by an event).

    ``code`` is one of domain.failures; ``retry_after_s`` comes with throttling.
    """

    code: str
    reason: str
    proof: str
    retryable: bool
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class InDoubt:
    """No answer that settles it: it may have gone out. Recovery asks the bridge by key, unless ``final``: then it keeps no
    ledger, and only an event can tell."""

    code: str
    reason: str
    final: bool = False


SendResult = Sent | Accepted | NotSent | InDoubt


class KeyState(StrEnum):
    """What a bridge knows of a key, in the words of the contract."""

    RESERVED = "reserved"
    DISPATCHING = "dispatching"
    SENT = "sent"
    FAILED = "failed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Closed:
    """A key after it was closed. Only ``closed`` and ``failed`` prove "not sent", and ``closed`` of a key that the
    bridge had never seen proves it only if its ledger is older than the attempt. ``ledger_age_s`` is that age when the
    key was closed, by the bridge's own clock: ages can be compared where two clocks cannot."""

    state: KeyState
    provider_message_id: str | None
    code: str | None
    ledger_age_s: float


@dataclass(frozen=True, slots=True)
class SessionStatus:
    """Health of one session. *Connected* and *can send* are different facts. ``quality`` and ``messaging_limit`` are Meta's
    words, for its numbers only."""

    session: str
    state: str
    connected: bool
    can_send: bool
    qr_required: bool
    session_age_s: int | None
    phone: str | None
    last_error: str | None
    restricted_until: datetime | None
    quality: str | None = None
    messaging_limit: str | None = None


class BridgeAwayError(Exception):
    """The bridge does not answer, or refuses our secret. ``code`` is ``bridge_unreachable`` or ``bridge_secret``."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Roster:
    """All sessions of a bridge. ``provider`` is what kind of phones they are; None when the bridge does not say.
    ``unheard``: sessions of which it could learn nothing now, so that they stand as they stood."""

    provider: str | None
    sessions: list[SessionStatus]
    unheard: frozenset[str] = frozenset()


# What a look brought, or that the bridge is away.
Told = Roster | BridgeAwayError


class BridgeRefusedError(Exception):
    """The bridge answered with an error, for instance ``sending`` (409) or ``no_qr`` (404)."""

    def __init__(self, status: int, code: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.code = code
        self.reason = reason


class Bridge(Protocol):
    """One address where sessions live. Every method but ``send`` raises BridgeAwayError and BridgeRefusedError."""

    def send(self, outbound: Outbound) -> SendResult: ...

    def close(self, session: str, key: str) -> Closed: ...

    def sessions(self, timeout_s: float) -> Roster: ...

    def status(self, session: str) -> SessionStatus: ...

    def qr(self, session: str) -> dict[str, Any]: ...

    def pairing_code(self, session: str, phone: str) -> str: ...

    def command(self, session: str, verb: str) -> None:
        """``verb``: start, restart, disconnect or logout."""
        ...
