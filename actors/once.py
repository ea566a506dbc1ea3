"""Marks in Redis that keep the clock's work from piling up: a hint, whose loss repeats something idempotent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import redis

AT_MOST_S = 5  # then the worker that took it is taken to be gone: part of what a crash costs (docs/reliability.md)


def first(client: redis.Redis, name: str, for_s: float) -> bool:
    """Whether nobody did this in the last ``for_s`` seconds; then it is ours to do."""
    return bool(client.set(f"fanfare:once:{name}", 1, nx=True, px=int(for_s * 1000)))


def queue(client: redis.Redis, actor: str) -> bool:
    """Whether an actor is to be queued: not while it waits or runs already. A bridge that hangs would else take up a
    worker's threads one after the other."""
    return first(client, f"queued:{actor}", AT_MOST_S)


@contextmanager
def running(client: redis.Redis, actor: str) -> Iterator[Callable[[], None]]:
    """The actor runs; when it is done the next round may queue it again. One that is long at it says now and then that it
    is still there, by calling what this yields."""
    name = f"fanfare:once:queued:{actor}"
    try:
        yield lambda: _still_there(client, name)
    finally:
        client.delete(name)


def _still_there(client: redis.Redis, name: str) -> None:
    client.set(name, 1, px=AT_MOST_S * 1000)
