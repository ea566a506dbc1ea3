"""Marks in Redis that keep the clock's work from piling up: a hint, whose loss repeats something idempotent."""

from __future__ import annotations

import redis

WAITS_AT_MOST_S = 5  # then the worker that took it is taken to be gone


def first(client: redis.Redis, name: str, for_s: float) -> bool:
    """Whether nobody did this in the last ``for_s`` seconds; then it is ours to do."""
    return bool(client.set(f"fanfare:once:{name}", 1, nx=True, px=int(for_s * 1000)))


def queue(client: redis.Redis, actor: str) -> bool:
    """Whether an actor is to be queued: not while it waits already."""
    return first(client, f"queued:{actor}", WAITS_AT_MOST_S)


def started(client: redis.Redis, actor: str) -> None:
    """The actor has started: the next round may queue it again."""
    client.delete(f"fanfare:once:queued:{actor}")
