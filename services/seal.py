"""Access tokens at rest: sealed with our key (AES-256-GCM), and bound to the number that they are of.

A sealed token is a version byte, the nonce, and what AES-GCM makes of the token; the number's id is authenticated with it,
so that it does not open at another number.
"""

from __future__ import annotations

import base64
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION: Final = b"\x01"
_NONCE_SIZE: Final = 12  # bytes, as NIST SP 800-38D recommends
_HEAD_SIZE: Final = len(_VERSION) + _NONCE_SIZE


class CannotBeOpenedError(Exception):
    """A token that this key does not open: it was sealed with another key or for another number, or it was damaged."""

    def __init__(self, phone_number_id: str) -> None:
        super().__init__(
            f"the access token of the number {phone_number_id} cannot be opened: it was sealed with another"
            " CLOUD_TOKEN_KEY; set the old key again, or give the number a new token"
        )


class Seal:
    """Seals and opens under one key."""

    def __init__(self, key: str) -> None:
        """``key``: 32 bytes as base64 (the setting CLOUD_TOKEN_KEY)."""
        self._cipher = AESGCM(base64.b64decode(key, validate=True))

    def seal(self, token: str, phone_number_id: str) -> bytes:
        """The token of this number, sealed; each time other bytes."""
        nonce = secrets.token_bytes(_NONCE_SIZE)
        return _VERSION + nonce + self._cipher.encrypt(nonce, token.encode(), phone_number_id.encode())

    def opened(self, sealed: bytes, phone_number_id: str) -> str:
        """The token of this number. Raises CannotBeOpenedError."""
        version, nonce = sealed[: len(_VERSION)], sealed[len(_VERSION) : _HEAD_SIZE]
        if version != _VERSION or len(nonce) != _NONCE_SIZE:
            raise CannotBeOpenedError(phone_number_id)
        try:
            return self._cipher.decrypt(nonce, sealed[_HEAD_SIZE:], phone_number_id.encode()).decode()
        except InvalidTag:
            raise CannotBeOpenedError(phone_number_id) from None
