"""Bodies that are believed by their signature alone: ``sha256=`` and the HMAC of the raw bytes in a header.

Whoever can reach such an address may post to it. So a body is not read when its signature cannot be one, is not waited for
longer than BODY_S, and few large ones are held at the same time.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
from typing import Final

from starlette.requests import ClientDisconnect, Request

BODY_S: Final = 10.0
LARGE: Final = (
    256 * 1024
)  # bytes; most bodies of Meta and of bridges are a hundredth of it, and never wait for large ones
LARGE_AT_ONCE: Final = 16  # of 3 MB at most (api/door.py)

_SIGNATURE: Final = re.compile("sha256=[0-9a-f]{64}")


class NotTakenError(Exception):
    """A body that is not taken: the status and the code of the answer, and words for it and for the log."""

    def __init__(self, status: int, code: str, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.code = code


class SignedBodies:
    """The bodies posted to one address. ``key_name`` is what the key of their signatures is called, in words."""

    def __init__(self, header: str, key: str, key_name: str) -> None:
        self._header = header
        self._key = key.encode()
        self._key_name = key_name
        self._large = 0  # that are read now

    async def read(self, request: Request) -> bytes:
        """The body, which is as it was signed. Raises NotTakenError."""
        given = request.headers.get(self._header, "")
        if not given:
            raise self._not_signed("there is no signature")
        if not _SIGNATURE.fullmatch(given):
            raise self._not_signed("the signature is wrong")
        # One that comes in pieces does not say how long it is.
        large = int(request.headers.get("content-length", LARGE)) >= LARGE
        if large and self._large >= LARGE_AT_ONCE:
            raise NotTakenError(503, "BUSY", "too many large bodies come at once: post it again")
        self._large += large
        try:
            async with asyncio.timeout(BODY_S):
                body = await request.body()
        except TimeoutError:
            raise NotTakenError(408, "TOO_SLOW", f"the body did not come within {BODY_S:g} s") from None
        except ClientDisconnect:  # nobody waits for an answer
            raise NotTakenError(400, "CUT_OFF", "the body ended too early") from None
        finally:
            self._large -= large
        if not hmac.compare_digest(given, "sha256=" + hmac.new(self._key, body, hashlib.sha256).hexdigest()):
            raise self._not_signed("the signature is wrong")
        return body

    def _not_signed(self, words: str) -> NotTakenError:
        how = f"{self._header} must be sha256= and the HMAC of the body with {self._key_name}"
        return NotTakenError(401, "BAD_SIGNATURE", f"{words}: {how}")
