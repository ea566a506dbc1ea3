"""What is wrong with a device, in one code, and what a person can do about it (R22).

A device may have several troubles at once; the code is the one that must end first, because while it lasts nothing else
that is done helps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Condition(StrEnum):
    """The worst first."""

    BRIDGE_AWAY = "bridge_away"
    WRONG_BRIDGE = "wrong_bridge"
    BANNED = "banned"
    LOGGED_OUT = "logged_out"
    TOKEN_REFUSED = "token_refused"  # noqa: S105 (a code)
    NOT_REGISTERED = "not_registered"
    QR_REQUIRED = "qr_required"
    PAYMENT_MISSING = "payment_missing"
    RESTRICTED = "restricted"
    NOT_CONNECTED = "not_connected"
    STARTING = "starting"
    AT_CAP = "at_cap"
    READY = "ready"


class Remedy(StrEnum):
    """What a person can do."""

    LOOK_AT_BRIDGE = "look_at_bridge"
    USE_ANOTHER = "use_another"
    SCAN_QR = "scan_qr"
    START = "start"
    REPLACE_TOKEN = "replace_token"  # noqa: S105 (a code)
    SEE_META = "see_meta"
    WAIT = "wait"
    RAISE_CAP = "raise_cap"
    NOTHING = "nothing"


REMEDIES: Final[Mapping[Condition, Remedy]] = MappingProxyType(
    {
        Condition.BRIDGE_AWAY: Remedy.LOOK_AT_BRIDGE,
        Condition.WRONG_BRIDGE: Remedy.LOOK_AT_BRIDGE,
        Condition.BANNED: Remedy.USE_ANOTHER,
        Condition.LOGGED_OUT: Remedy.SCAN_QR,
        Condition.TOKEN_REFUSED: Remedy.REPLACE_TOKEN,
        Condition.NOT_REGISTERED: Remedy.SEE_META,
        Condition.QR_REQUIRED: Remedy.SCAN_QR,
        Condition.PAYMENT_MISSING: Remedy.SEE_META,
        Condition.RESTRICTED: Remedy.WAIT,
        Condition.NOT_CONNECTED: Remedy.START,
        Condition.STARTING: Remedy.WAIT,
        Condition.AT_CAP: Remedy.RAISE_CAP,
        Condition.READY: Remedy.NOTHING,
    }
)

_RANK: Final = {condition: rank for rank, condition in enumerate(Condition)}
# A session in these is on its way by itself; "new" was not looked at yet.
_COMING: Final = frozenset({"new", "starting", "scanned", "connecting"})
# What a number of the Cloud API may lack at Meta; each is called as its code in domain.failures.
_OF_META: Final = (Condition.TOKEN_REFUSED, Condition.NOT_REGISTERED, Condition.PAYMENT_MISSING)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a device. ``state`` and ``error_code`` are the bridge's words or those of domain.failures."""

    bridge_away: bool
    can_send: bool
    qr_required: bool
    restricted: bool
    at_cap: bool
    state: str
    error_code: str | None


def condition(device: Facts) -> Condition:
    """The one code."""
    codes = {device.state, device.error_code}
    if device.bridge_away:
        return Condition.BRIDGE_AWAY
    if device.can_send:
        return Condition.AT_CAP if device.at_cap else Condition.READY
    if "wrong_bridge" in codes:
        return Condition.WRONG_BRIDGE
    if "banned" in codes:
        return Condition.BANNED
    if "logged_out" in codes:
        return Condition.LOGGED_OUT
    for of_meta in _OF_META:
        if of_meta in codes:
            return of_meta
    if device.state in _COMING:
        return Condition.STARTING
    if device.qr_required or "qr_required" in codes:
        return Condition.QR_REQUIRED
    if device.restricted or "restricted" in codes:
        return Condition.RESTRICTED
    return Condition.NOT_CONNECTED


def urgency(of: Condition, waiting: int) -> tuple[int, int]:
    """Sorts devices, the most urgent first: by what is wrong, then by how many messages wait."""
    return _RANK[of], -waiting
