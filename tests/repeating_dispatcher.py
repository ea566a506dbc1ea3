"""The dispatcher, with everything that it queues queued five times: a queue that repeats itself at its worst."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from dramatiq import Message

from actors import dispatcher
from actors.broker import Broker

once = Broker.enqueue_many


def five_times(self: Broker, messages: Iterable[Message[object]]) -> None:
    once(self, [message for message in messages for _ in range(5)])


Broker.enqueue_many = five_times  # type: ignore[method-assign]
sys.exit(dispatcher.main())
