"""What Redis says of the queues and of itself, in one round trip."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import dramatiq
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from actors import queues
from actors.broker import NAMESPACE, queue_url

ANSWER_S = 1.0  # the dispatcher releases nothing while it waits for this answer
LETTERS = 20  # the latest dead letters of each queue


class QueueLook:
    """Looks at the queues of one Redis. It asks once: one that does not answer is away, and the next look is soon."""

    def __init__(self, redis_url: str) -> None:
        self._client = redis.Redis.from_url(
            queue_url(redis_url),
            socket_timeout=ANSWER_S,
            socket_connect_timeout=ANSWER_S,
            retry=Retry(NoBackoff(), 0),
        )

    def facts(self) -> dict[str, Any]:
        """The facts of services.queue_reports. Raises RedisError."""
        pipeline = self._client.pipeline(transaction=False)
        pipeline.info("memory")
        pipeline.info("server")
        for queue in queues.ALL:
            name = f"{NAMESPACE}:{queue}"
            pipeline.llen(name)
            pipeline.llen(f"{name}.DQ")
            pipeline.zcard(f"{name}.XQ")
            pipeline.zrevrange(f"{name}.XQ", 0, LETTERS - 1, withscores=True)
        memory, server, *told = pipeline.execute()
        depths, letters = [], []
        for number, queue in enumerate(queues.ALL):
            waiting, delayed, dead, latest = told[4 * number : 4 * number + 4]
            depths.append({"name": queue, "waiting": waiting, "delayed": delayed, "dead": dead})
            letters += self._letters(queue, dict(latest))
        return {
            "queues": depths,
            "dead_letters": sorted(letters, key=lambda letter: letter["at"], reverse=True)[:LETTERS],
            # One that is run by others may keep some of this to itself, which must not end the dispatcher.
            "memory_used": memory.get("used_memory", 0),
            "memory_limit": memory.get("maxmemory", 0),
            "memory_policy": memory.get("maxmemory_policy", ""),
            "redis_version": server.get("redis_version", ""),
        }

    def _letters(self, queue: str, died_ms: dict[bytes, float]) -> list[dict[str, Any]]:
        if not died_ms:
            return []
        found = self._client.hmget(f"{NAMESPACE}:{queue}.XQ.msgs", list(died_ms))
        return [
            {"queue": queue, **_job(data), "at": datetime.fromtimestamp(at / 1000, UTC).isoformat()}
            for data, at in zip(found, died_ms.values(), strict=True)
            if data is not None
        ]


def _job(data: Any) -> dict[str, Any]:
    """What a job was to do. Ours have ids for arguments; what else came into the queue is nobody's business here."""
    try:
        message: dramatiq.Message[object] = dramatiq.Message.decode(data)
    except dramatiq.DramatiqError:
        return {"actor": "", "arguments": []}
    return {"actor": message.actor_name, "arguments": [each for each in message.args if isinstance(each, int)]}
