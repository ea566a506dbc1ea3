"""Who may come in, and how much they may bring: decided before a body is read."""

from __future__ import annotations

import hmac

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import error

MB = 1024 * 1024
LIMIT = MB
LIMITS = {
    "/api/broadcasts": 50 * MB,
    "/api/broadcasts/csv": 50 * MB,
    "/api/media": 17 * MB,  # the largest file that is kept, and the form around it
    "/events/bridge": 3 * MB,
    "/webhooks/cloud": 3 * MB,
}


class Door:
    """Requests below ``/api/`` need the token; every body has a limit in bytes, by its path."""

    def __init__(self, app: ASGIApp, *, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers = dict(scope["headers"])
        if scope["path"].startswith("/api/") and not self._may_enter(headers.get(b"authorization", b"")):
            words = "Send the header Authorization: Bearer with the API token."
            refusal = error(401, "UNAUTHORIZED", words, headers={"WWW-Authenticate": "Bearer"})
            return await refusal(scope, receive, send)
        limit = LIMITS.get(scope["path"], LIMIT)
        if int(headers.get(b"content-length", 0)) > limit:
            return await error(413, "TOO_LARGE", _words(limit), {"limit_bytes": limit})(scope, receive, send)
        came = 0

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > limit:  # sent in chunks, so it did not say how long it is
                raise HTTPException(413)
            return message

        await self._app(scope, counted if b"transfer-encoding" in headers else receive, send)

    def _may_enter(self, given: bytes) -> bool:
        return hmac.compare_digest(given, self._expected)


def _words(limit: int) -> str:
    return f"The request is too large: at most {limit // MB} MB are taken here."
