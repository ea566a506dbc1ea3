"""What the actors of one process share: settings, the database, Redis, bridges. Made once, after the process has forked."""

from __future__ import annotations

import os
import random
import socket
from dataclasses import dataclass
from functools import cache

import redis
from sqlalchemy import Engine

import failpoints
import settings as environment
import wiring
from actors.due import Due
from actors.mutex import Mutex
from bridge.directory import Directory
from db.engine import connect
from services.cloud import Cloud
from settings import Settings

NEEDED = ("database_url", "redis_url", "bridge_url", "bridge_secret")


@dataclass(frozen=True)
class Runtime:
    settings: Settings
    engine: Engine
    redis: redis.Redis
    due: Due
    mutex: Mutex
    worker_id: str
    rng: random.Random
    bridges: Directory
    cloud: Cloud | None


@cache
def runtime() -> Runtime:
    """This process's runtime."""
    settings = environment.load(*NEEDED)
    failpoints.arm(settings.failpoint)
    client = redis.Redis.from_url(environment.given(settings, "redis_url"), socket_timeout=5, socket_connect_timeout=5)
    engine = connect(environment.given(settings, "database_url"), threads=settings.worker_threads + 2, name="worker")
    bridges, cloud = wiring.bridges(settings, engine)
    return Runtime(
        settings=settings,
        engine=engine,
        redis=client,
        due=Due(client),
        mutex=Mutex(client, settings.mutex_s),
        worker_id=process_id(),
        rng=random.SystemRandom(),
        bridges=bridges,
        cloud=cloud,
    )


def process_id() -> str:
    """``host:pid``, under which this process stands in the database."""
    return f"{socket.gethostname()}:{os.getpid()}"
