"""What Dramatiq loads in each worker process: the broker, then every actor."""

from actors.stopping import hear_once

hear_once()  # before all that takes its time to load: a process is told to stop at any moment

import settings as environment
from actors import broker as brokers
from actors.presence import WorkerPresence
from actors.runtime import runtime
from logs import set_up

set_up(runtime().settings.log_level, "worker")
broker = brokers.make(environment.given(runtime().settings, "redis_url"))
broker.add_middleware(WorkerPresence())

from actors import campaigns, cloud, sending, upkeep  # actors are declared on the broker that stands by then

__all__ = ["broker", "campaigns", "cloud", "sending", "upkeep"]
