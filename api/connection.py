"""One connection to the API, whoever opens it: what uvicorn leaves unlimited has limits here.

A head may be long and slow without end, and so may what follows an answer that was given before the body had come (the
door's, say). A body that is awaited is the business of whoever awaits it (api/door.py, api/signed_body.py).
"""

from __future__ import annotations

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LONGEST_HEAD: Final = 64 * 1024  # bytes that are no body: a head, or what stands behind the last piece of a body
PATIENCE_S: Final = 10.0


class Connection(HttpToolsProtocol):
    """Ends itself when a head is longer than LONGEST_HEAD (to within what one read brings), and when a head, or the rest of
    a body that was answered already, takes longer than PATIENCE_S."""

    _beside_bodies = 0
    _owed = True  # something that nobody awaits: first the first head
    _whole = True  # the newest request, as far as there is one
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._owed = False
        self._wait()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._beside_bodies += len(data)
        super().data_received(data)
        self._wait()
        if self._beside_bodies > LONGEST_HEAD:
            self.transport.abort()

    def on_message_begin(self) -> None:
        self._owed, self._whole = True, False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._owed, self._beside_bodies = False, 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._beside_bodies = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._owed, self._whole, self._beside_bodies = False, True, 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.cycle.response_complete and not self._whole:
            self._owed = True
            self._wait()

    def _wait(self) -> None:
        """Let the time run while something is owed."""
        if self._owed and self._timer is None:
            self._timer = self.loop.call_later(PATIENCE_S, self.transport.abort)
        elif not self._owed and self._timer is not None:
            self._timer.cancel()
            self._timer = None
