"""What the actors of one process share: settings, the database, Redis, bridges. Made once, after the process has forked."""

from __future__ import annotations

import os
import random
import socket
import threading
from dataclasses import dataclass, field
from functools import cache

import redis
from sqlalchemy import Engine

import settings as environment
from actors.due import Due
from actors.mutex import Mutex
from bridge.http_client import HttpBridge
from bridge.protocol import Bridge
from db.engine import connect
from settings import Settings

NEEDED = ("database_url", "redis_url", "bridge_url", "bridge_secret")
DEFAULT_BRIDGE = "default"  # the address of BRIDGE_URL in the database: it may differ at each start


@dataclass(frozen=True)
class Runtime:
    settings: Settings
    engine: Engine
    redis: redis.Redis
    due: Due
    mutex: Mutex
    worker_id: str
    rng: random.Random
    _bridges: dict[str, Bridge] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def bridge(self, address: str) -> Bridge:
        """The client of a bridge: ``default``, or a device's own address."""
        with self._lock:
            if address not in self._bridges:
                url = self.settings.bridge_url if address == DEFAULT_BRIDGE else address
                self._bridges[address] = HttpBridge(
                    url or "",
                    environment.secret(self.settings, "bridge_secret"),
                    send_limit_s=self.settings.send_limit_s,
                    http_timeout_s=self.settings.http_timeout_s,
                )
            return self._bridges[address]


@cache
def runtime() -> Runtime:
    """This process's runtime."""
    settings = environment.load(*NEEDED)
    client = redis.Redis.from_url(settings.redis_url or "", socket_timeout=5, socket_connect_timeout=5)
    return Runtime(
        settings=settings,
        engine=connect(settings.database_url or "", threads=settings.worker_threads + 2, name="worker"),
        redis=client,
        due=Due(client),
        mutex=Mutex(client, settings.mutex_s),
        worker_id=f"{socket.gethostname()}:{os.getpid()}",
        rng=random.SystemRandom(),
    )
