"""What stands for the Cloud API where its numbers' tokens cannot be opened: a bridge that is away, and says why."""

from __future__ import annotations

from typing import Any, NoReturn

from bridge.protocol import BridgeAwayError, Closed, NotSent, Outbound, Roster, SendResult, SessionStatus

_REASON = "CLOUD_TOKEN_KEY is not set, so the access tokens of Cloud API numbers cannot be opened"


class AbsentCloud:
    """A ``Bridge`` that sends nothing."""

    def send(self, outbound: Outbound) -> SendResult:
        return NotSent("bridge_unreachable", _REASON, "refused", retryable=True)

    def close(self, session: str, key: str) -> Closed:
        _away()

    def sessions(self, timeout_s: float) -> Roster:
        _away()

    def status(self, session: str) -> SessionStatus:
        _away()

    def qr(self, session: str) -> dict[str, Any]:
        _away()

    def pairing_code(self, session: str, phone: str) -> str:
        _away()

    def command(self, session: str, verb: str) -> None:
        _away()


def _away() -> NoReturn:
    raise BridgeAwayError("bridge_unreachable", _REASON)
