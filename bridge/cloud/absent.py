"""What stands for the Cloud API in a process that cannot open its numbers' tokens.

That is this process's own fault: other workers may have the right key, so neither the bridge nor a number is called away.
"""

from __future__ import annotations

import logging
import time
from typing import Any, Final, NoReturn

from bridge.protocol import BridgeRefusedError, Closed, KeyState, NotSent, Outbound, Roster, SendResult, SessionStatus

log = logging.getLogger("fanfare.cloud")

TOLD_EVERY_S: Final = 60.0
_REASON: Final = "CLOUD_TOKEN_KEY is not set in this process, or is another one than sealed the access token"
# The wait is the device's: whichever worker takes its next message, one that has no key tries no more often than this.
UNOPENED: Final = NotSent("token_unopened", _REASON, "refused", retryable=True, retry_after_s=5.0)


class AbsentCloud:
    """A ``Bridge`` that sends nothing. Nobody looks at numbers through it (``Directory.reaches``)."""

    def __init__(self) -> None:
        self._told_at: float | None = None  # by the monotonic clock

    def send(self, outbound: Outbound) -> SendResult:
        now = time.monotonic()
        if self._told_at is None or now - self._told_at >= TOLD_EVERY_S:
            self._told_at = now
            log.error("[CLOUD] nothing can be sent from number %s: CLOUD_TOKEN_KEY is not set", outbound.session)
        return UNOPENED

    def close(self, session: str, key: str) -> Closed:
        """As with a key: Meta has no ledger, so this proves nothing."""
        return Closed(KeyState.DISPATCHING, None, None, 0.0)

    def sessions(self, timeout_s: float) -> Roster:
        unopened()

    def status(self, session: str) -> SessionStatus:
        unopened()

    def qr(self, session: str) -> dict[str, Any]:
        unopened()

    def pairing_code(self, session: str, phone: str) -> str:
        unopened()

    def command(self, session: str, verb: str) -> None:
        unopened()


def unopened() -> NoReturn:
    """Raises BridgeRefusedError."""
    raise BridgeRefusedError(409, UNOPENED.code, UNOPENED.reason)
