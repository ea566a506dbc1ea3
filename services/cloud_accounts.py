"""The numbers of Meta's Cloud API that we have, with their tokens, for the client that sends from them.

Every send asks for its number, so they are read all at once and kept for a few seconds, in which a token that was replaced
may still be used. A look at the numbers' health always reads them.
"""

from __future__ import annotations

import logging
import threading
import time

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from bridge.cloud.absent import TOLD_EVERY_S
from bridge.cloud.accounts import Account
from bridge.protocol import BridgeAwayError
from db.engine import run
from services.seal import CannotBeOpenedError, Seal

log = logging.getLogger("fanfare.cloud")

KEPT_S = 5.0
PATIENCE_S = 3.0  # how long a send waits for a database that is away; nothing was sent until then


class KeptAccounts:
    """``Accounts`` out of the database. Safe for threads.

    A number whose token does not open has none here, and the others go on: another process may have the key to it.
    """

    def __init__(self, engine: Engine, seal: Seal) -> None:
        self._engine = engine
        self._seal = seal
        self._lock = threading.Lock()
        self._kept: dict[str, Account] = {}
        self._kept_until: float | None = None  # by the monotonic clock; None: never read
        self._unopened: list[str] = []  # why, of each that does not open
        self._told_at: float | None = None  # when the log was told of these, by the monotonic clock

    def one(self, session: str) -> Account | None:
        """The number of a session, or None. Raises BridgeAwayError when the database is away and was never read."""
        with self._lock:
            if self._kept_until is None or time.monotonic() >= self._kept_until:
                try:
                    self._read()
                except OperationalError as error:
                    if self._kept_until is None:
                        raise BridgeAwayError("bridge_unreachable", "the access tokens cannot be read") from error
                    self._kept_until = time.monotonic() + KEPT_S  # what was known is better than nothing
            return self._kept.get(session)

    def every(self) -> list[Account]:
        """All numbers as they are now. Raises OperationalError when the database is away."""
        with self._lock:
            self._read()
            return list(self._kept.values())

    def _read(self) -> None:
        rows = run(self._engine, _sealed, patience_s=PATIENCE_S)
        self._unopened = []
        self._kept = {session: self._account(session, business_id, sealed) for session, business_id, sealed in rows}
        now = time.monotonic()
        if self._unopened and (self._told_at is None or now - self._told_at >= TOLD_EVERY_S):
            self._told_at = now
            log.error("[CLOUD] %s", "; ".join(self._unopened))
        self._kept_until = time.monotonic() + KEPT_S

    def _account(self, session: str, business_id: str, sealed: bytes) -> Account:
        try:
            token = self._seal.opened(sealed, session)
        except CannotBeOpenedError as error:
            self._unopened.append(str(error))
            return Account(session, business_id, "")
        return Account(session, business_id, token)


def _sealed(db: Connection) -> list[tuple[str, str, bytes]]:
    found = db.execute(
        text(
            "SELECT d.session, c.business_id, c.sealed_token FROM cloud_numbers c JOIN devices d ON d.id = c.device_id"
            " ORDER BY d.id"
        )
    )
    return [(row.session, row.business_id, bytes(row.sealed_token)) for row in found]
