"""One worker at a time on one session: a Redis mutex with an owner (R12).

Dramatiq's own limiter has none, so a late release would free somebody else's. This one expires, and its loss doubles
nothing: the database's slot holds as well.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import redis

log = logging.getLogger("fanfare.actors")

_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class Mutex:
    """Mutexes by name, each for at most ``lifetime_s``."""

    def __init__(self, client: redis.Redis, lifetime_s: float) -> None:
        self._client = client
        self._lifetime_ms = int(lifetime_s * 1000)
        self._release = client.register_script(_RELEASE)

    @contextmanager
    def hold(self, name: str) -> Iterator[bool]:
        """Whether we hold it for the length of the block; only what we hold is released."""
        key, owner = f"fanfare:mutex:{name}", secrets.token_hex(8)
        held = bool(self._client.set(key, owner, nx=True, px=self._lifetime_ms))
        try:
            yield held
        finally:
            if held:
                self._let_go(key, owner)

    def _let_go(self, key: str, owner: str) -> None:
        try:
            self._release(keys=[key], args=[owner])
        except redis.RedisError as error:
            # What was done under it is committed. It expires by itself.
            log.warning("[WA_SEND] a mutex could not be released (%s): it expires by itself", type(error).__name__)
