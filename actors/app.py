"""What Dramatiq loads in each worker process: the broker, then every actor."""

import settings as environment
from actors import broker as brokers
from actors.presence import WorkerPresence
from actors.runtime import runtime
from logs import set_up

set_up(runtime().settings.log_level, "worker")
broker = brokers.make(environment.given(runtime().settings, "redis_url"))
broker.add_middleware(WorkerPresence())

from actors import campaigns, sending, upkeep  # noqa: E402 - actors are declared on the broker that stands by then

__all__ = ["broker", "campaigns", "sending", "upkeep"]
