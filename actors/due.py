"""When each device may send next, as Redis holds it: a hint, rebuilt from the database whenever it is lost.

A *token* is ``device:slot``: one for each send that a device may have in flight. Scores are the database's time in
milliseconds. A token that is released comes back by itself after ``RELEASED_MS``, so that a worker that dies with it, or
a queue that is emptied, costs that long at most; the worker that is done puts it where it belongs. To release a token
twice is harmless: whoever comes second finds nothing to begin.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import redis

KEY = "fanfare:due"
RELEASED_MS = 10_000  # a send that takes longer costs one look at its mutex

_RELEASE = """
local tokens = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
for _, token in ipairs(tokens) do redis.call('ZADD', KEYS[1], ARGV[3], token) end
return tokens
"""

# Adds what is missing, and brings forward what waits for a time that is no longer right (a cap that was raised). A token
# that is out with a worker is left alone.
_SYNC = """
for i = 2, #ARGV, 2 do
  local score = redis.call('ZSCORE', KEYS[1], ARGV[i])
  if not score or (tonumber(score) > tonumber(ARGV[1]) and tonumber(ARGV[i + 1]) < tonumber(score)) then
    redis.call('ZADD', KEYS[1], ARGV[i + 1], ARGV[i])
  end
end
"""


class Due:
    """The due times of all devices with work."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._release = client.register_script(_RELEASE)
        self._sync = client.register_script(_SYNC)

    def release(self, now_ms: int, limit: int) -> list[tuple[int, int]]:
        """Take up to ``limit`` tokens that are due: (device id, slot), longest due first."""
        tokens = self._release(keys=[KEY], args=[now_ms, limit, now_ms + RELEASED_MS])
        return [_parsed(token) for token in tokens]

    def again(self, device_id: int, slot: int, at: datetime) -> None:
        """This token may be released again at ``at``."""
        self._client.zadd(KEY, {f"{device_id}:{slot}": int(at.timestamp() * 1000)})

    def forget(self, device_id: int, slot: int) -> None:
        """The device has nothing to send, or may not: the dispatcher adds it again when that changes."""
        self._client.zrem(KEY, f"{device_id}:{slot}")

    def sync(self, ready: Iterable[tuple[int, int, datetime]], now_ms: int) -> None:
        """Add the tokens of devices (id, in-flight limit, from when) that are missing."""
        arguments: list[str | int] = []
        for device_id, limit, at in ready:
            for slot in range(limit):
                arguments += [f"{device_id}:{slot}", int(at.timestamp() * 1000)]
        for start in range(0, len(arguments), 4000):
            chunk = arguments[start : start + 4000]
            self._sync(keys=[KEY], args=[now_ms + RELEASED_MS + 1000, *chunk])


def _parsed(token: bytes) -> tuple[int, int]:
    device_id, _, slot = token.decode().partition(":")
    return int(device_id), int(slot)
