"""Whether this process can do its work: what /readyz answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from db.ready import schema_fault

CHECK_S = 1.5  # for each server, both at the same time


class Readiness:
    def __init__(self, engine: Engine, redis_url: str) -> None:
        self._engine = engine
        self._redis = redis.Redis.from_url(
            redis_url, socket_timeout=CHECK_S, socket_connect_timeout=CHECK_S, retry=Retry(NoBackoff(), 0)
        )
        # Threads of its own, so that endpoints which wait for a server that hangs do not hide that it does.
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="ready")

    async def faults(self) -> dict[str, str]:
        """What is away, by name, with words; empty when all is well. Takes less than two seconds."""
        checks = {"database": self._check_database, "redis": self._check_redis}
        found = await asyncio.gather(*(self._in_time(check) for check in checks.values()))
        return {name: fault for name, fault in zip(checks, found, strict=True) if fault is not None}

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._redis.close()

    async def _in_time(self, check: Callable[[], str | None]) -> str | None:
        try:
            future = asyncio.get_running_loop().run_in_executor(self._threads, check)
            return await asyncio.wait_for(future, CHECK_S)
        except TimeoutError:
            return "does not answer in time"

    def _check_database(self) -> str | None:
        try:
            with self._engine.connect() as db:
                db.execute(text("SELECT 1"))
                return schema_fault(db)
        except SQLAlchemyError:
            return "does not answer"

    def _check_redis(self) -> str | None:
        try:
            self._redis.ping()
        except redis.RedisError:
            return "does not answer"
        return None
