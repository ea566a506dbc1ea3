"""What is done to a device's session at its bridge: QR and pairing code, start, restart, disconnect, log out (R23).

Each is one call to the bridge, with no transaction open meanwhile; then it is written down who did it, and the device's
health is looked at without waiting for the next round. What a bridge refuses raises Refused: BRIDGE_AWAY, SENDING, NO_QR,
NO_SESSION, WRONG_BRIDGE, NOT_FOR_CLOUD, BRIDGE_REFUSED; a device that is not there NOT_FOUND. ``start_new`` and ``unlink``
follow what is done already, and give the reason in place of raising.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from bridge.protocol import Bridge, BridgeAwayError, BridgeRefusedError, SessionStatus
from services import audit, trouble
from services.change_device import look_soon, session_of
from services.refused import Refused

log = logging.getLogger("fanfare.sessions")
Result = TypeVar("Result")

CLOUD = "cloud"  # the address of Meta's Cloud API, as in bridge/directory.py

_REFUSALS = {
    "sending": "This phone is sending right now: try again when it has finished.",
    "no_qr": "There is no QR code now: the phone is paired already, or its session is not started.",
    "no_session": "The bridge does not know this phone's session: start it first.",
}


class Run(Protocol):
    """Runs work in one transaction, with the id of the workspace."""

    def __call__(self, work: Callable[[Connection, int], Result]) -> Result: ...


class Bridges(Protocol):
    """Finds the client of a bridge by its address."""

    def at(self, address: str) -> Bridge: ...


class Command(StrEnum):
    START = "start"
    RESTART = "restart"
    DISCONNECT = "disconnect"
    LOGOUT = "logout"


@dataclass(frozen=True, slots=True)
class Qr:
    """What the QR code says, and by the bridge's clock until when."""

    qr: str
    expires_at: datetime | None


class PairingState(StrEnum):
    WAITING = "waiting"  # for somebody to scan the code; the code itself may still be in the making
    SCANNED = "scanned"
    CONNECTED = "connected"
    EXPIRED = "expired"  # no code is shown any more: starting the session makes a new one
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Pairing:
    """How far a phone is on its way to be paired. ``qr`` only while waiting, ``code`` (one of domain.failures) only when it
    failed."""

    state: PairingState
    qr: Qr | None = None
    phone: str | None = None
    code: str | None = None


def qr(run: Run, bridges: Bridges, device_id: int) -> Qr:
    """The QR code that the phone must scan now."""
    return _asked(run, bridges, device_id, _read_qr, of_a_phone=True)


def pairing(run: Run, bridges: Bridges, device_id: int) -> Pairing:
    """Where it stands, in one read: all that a dialog which shows the code needs. Refused: NOT_FOUND, WRONG_BRIDGE,
    NOT_FOR_CLOUD."""
    try:
        return _told(run, bridges, device_id, _pairing, of_a_phone=True)
    except (BridgeAwayError, BridgeRefusedError) as error:
        return Pairing(PairingState.FAILED, code=error.code)


def pairing_code(run: Run, bridges: Bridges, device_id: int, phone: str, *, who: str) -> str:
    """A code to type into the phone ``phone`` (E.164) in the place of scanning."""
    code = _asked(run, bridges, device_id, lambda bridge, session: bridge.pairing_code(session, phone), of_a_phone=True)
    _write_down(run, device_id, "pairing_code", who)
    return code


def order(run: Run, bridges: Bridges, device_id: int, command: Command, *, who: str) -> None:
    """Start, restart, disconnect or log out. All but start are refused with SENDING while it is sending."""
    ends = command in (Command.DISCONNECT, Command.LOGOUT)
    _asked(run, bridges, device_id, lambda bridge, session: bridge.command(session, command), of_a_phone=ends)
    if command in (Command.START, Command.RESTART):
        run(lambda db, _: trouble.unpark(db, device_id))
    _write_down(run, device_id, f"{command}_session", who)


def start_new(run: Run, bridges: Bridges, device_id: int) -> str | None:
    """Start the session of a device that was just added; returns why the bridge could not, which does not undo it."""
    trouble: str | None = None
    try:
        _told(run, bridges, device_id, lambda bridge, session: bridge.command(session, Command.START))
    except (BridgeAwayError, BridgeRefusedError) as error:
        trouble = error.reason
    run(lambda db, _: look_soon(db, device_id))
    return trouble


def unlink(bridges: Bridges, address: str, session: str, served: bool) -> str | None:
    """Log out the session that a deleted device has left: nothing of ours will ever look at it again. Returns why its phone
    may still show it as linked, which is logged and does not undo the deletion; None when it does not."""
    still = _unlinked(bridges.at(address), session) if served else "its bridge serves another kind of phone now"
    if still is not None:
        log.warning("[BRIDGE] session=%s of a deleted phone may still be linked: %s", session, still)
    return still


def _unlinked(bridge: Bridge, session: str) -> str | None:
    try:
        before = bridge.status(session)
        bridge.command(session, Command.LOGOUT)
    except BridgeAwayError as away:
        return away.reason
    except BridgeRefusedError as refused:
        return None if refused.code == "no_session" else refused.reason
    # Only a connected session can tell WhatsApp; any other forgets its keys.
    return None if before.connected or before.phone is None else "it was not connected, so WhatsApp could not be told"


def _told(
    run: Run, bridges: Bridges, device_id: int, ask: Callable[[Bridge, str], Result], *, of_a_phone: bool = False
) -> Result:
    """``of_a_phone``: what only a linked phone has, and a number of the Cloud API has not."""
    address, session = run(lambda db, workspace_id: session_of(db, workspace_id, device_id))
    if of_a_phone and address == CLOUD:
        raise Refused(
            "NOT_FOR_CLOUD",
            "A number of Meta's Cloud API is neither paired nor disconnected: an access token is all that it needs.",
        )
    return ask(bridges.at(address), session)


def _asked(
    run: Run, bridges: Bridges, device_id: int, ask: Callable[[Bridge, str], Result], *, of_a_phone: bool = False
) -> Result:
    try:
        return _told(run, bridges, device_id, ask, of_a_phone=of_a_phone)
    except BridgeAwayError as away:
        raise Refused("BRIDGE_AWAY", "Nothing was done: {told}.", {"code": away.code}, told=away.reason) from away
    except BridgeRefusedError as refused:
        if refused.code in _REFUSALS:
            raise Refused(refused.code.upper(), _REFUSALS[refused.code]) from refused
        raise Refused(
            "BRIDGE_REFUSED", "The bridge refused: {told}.", {"code": refused.code}, told=refused.reason
        ) from refused


def _write_down(run: Run, device_id: int, action: str, who: str) -> None:
    def write(db: Connection, workspace_id: int) -> None:
        audit.write(db, workspace_id, who, action, f"device:{device_id}")
        look_soon(db, device_id)

    run(write)


def _read_qr(bridge: Bridge, session: str) -> Qr:
    told = bridge.qr(session)
    expires_at = told.get("expires_at")
    return Qr(told["qr"], None if expires_at is None else datetime.fromisoformat(expires_at))


def _pairing(bridge: Bridge, session: str) -> Pairing:
    status = bridge.status(session)
    if status.connected:
        return Pairing(PairingState.CONNECTED, phone=status.phone)
    if status.state == "banned":
        return Pairing(PairingState.FAILED, code="banned")
    if status.state in ("scanned", "connecting"):
        return Pairing(PairingState.SCANNED)
    if status.state in ("closed", "logged_out"):
        return Pairing(PairingState.EXPIRED)
    return Pairing(PairingState.WAITING, qr=_qr_if_shown(bridge, session, status))


def _qr_if_shown(bridge: Bridge, session: str, status: SessionStatus) -> Qr | None:
    """A code may be in the making, or have been scanned since its state was told."""
    if not status.qr_required:
        return None
    try:
        return _read_qr(bridge, session)
    except BridgeRefusedError as refused:
        if refused.code != "no_qr":
            raise
        return None
