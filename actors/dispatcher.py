"""``python -m actors.dispatcher``: releases the devices that are due, and queues everything that goes by the clock.

It decides nothing that matters: what may be sent is decided by ``begin`` in the database. It is told by Postgres when
there is work, looks by itself every two seconds, and holds nothing that is not rebuilt by the next look.
"""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from types import FrameType

import psycopg2
import redis
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

import settings as environment
from actors import broker as brokers
from actors import once, queues, start
from actors.broker import Broker, message
from actors.due import Due
from actors.leader import Leader
from actors.presence import Presence
from actors.queue_look import QueueLook
from actors.runtime import process_id
from db.engine import connect, run
from db.queries import query
from logs import set_up
from services import expire, health, queue_reports, schedule
from services.processes import Process
from settings import Settings

log = logging.getLogger("fanfare.dispatcher")

TICK_S = 0.05
LOOK_S = 2.0
STANDBY_S = 1.0
RELEASE_LIMIT = 500  # tokens a tick
BACKLOG_LIMIT = 5000  # sends that wait for a worker; beyond that nothing is released, so that Redis does not grow
DRIVE_AGAIN_S = 10.0  # a campaign that is still accepted after this long has its job queued again


@dataclass
class Round:
    """Something that goes by the clock."""

    every_s: float
    work: Callable[[], None]
    next_at: float = 0.0


@dataclass
class Dispatcher:
    settings: Settings
    engine: Engine
    redis: redis.Redis
    broker: Broker
    presence: Presence
    queue_look: QueueLook
    stopping: Event = field(default_factory=Event)
    _driven: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._due = Due(self.redis)

    def run(self) -> None:
        """Lead when it is our turn, until we are told to stop."""
        while not self.stopping.is_set():
            try:
                leader = Leader.take(self.engine)
                self.presence.leads(leader is not None)
                if leader is None:
                    self.stopping.wait(STANDBY_S)
                    continue
                try:
                    log.info("[DISPATCHER] leads")
                    self._lead(leader)
                finally:
                    leader.close()
            except (psycopg2.Error, SQLAlchemyError, redis.RedisError) as error:
                log.warning("[DISPATCHER] lost a server (%s); tries again", type(error).__name__)
                self.stopping.wait(STANDBY_S)

    def _lead(self, leader: Leader) -> None:
        rounds = [
            # Before all that needs Redis: without it the lead is lost below, and taken again to look once more.
            Round(LOOK_S, self._queues),
            Round(1.0, leader.look_at_clock),
            Round(0.25, self._events),
            Round(1.0, self._campaigns),
            Round(1.0, self._health),
            Round(LOOK_S, lambda: self._sync(leader)),
            Round(2.0, lambda: self._queue("recover_messages")),
            Round(2.0, lambda: self._queue("aggregate_campaigns")),
            Round(10.0, lambda: self._queue("expire_messages")),
            Round(10.0, lambda: self._queue("count_minutes")),
            Round(300.0, lambda: self._queue("sync_templates")),
            Round(3600.0, lambda: self._queue("clean_up")),
        ]
        # After an outage of everything, what is over its window must end before the first device is released.
        run(self.engine, lambda db: expire.expire(db, window_s=self.settings.message_window_s))
        next_tick = time.monotonic()
        while not self.stopping.is_set():
            for item in rounds:
                if time.monotonic() >= item.next_at:
                    item.next_at = time.monotonic() + item.every_s
                    item.work()
            self._release(leader)
            next_tick = max(next_tick + TICK_S, time.monotonic())
            if leader.wait(next_tick - time.monotonic()):
                self._campaigns()
                self._sync(leader)

    def _release(self, leader: Leader) -> None:
        """Queue a send for each device that is due. What is released twice finds nothing to begin."""
        if self.broker.waiting(queues.SENDS) >= BACKLOG_LIMIT:
            return
        tokens = self._due.release(leader.now_ms(), RELEASE_LIMIT)
        self.broker.enqueue_many(message("send_next", queues.SENDS, *token) for token in tokens)

    def _sync(self, leader: Leader) -> None:
        """Bring the hints in line with the database; after a FLUSHALL this makes all of them again."""
        with self.engine.begin() as db:
            ready = [(row.id, row.in_flight_limit, row.next_send_at) for row in db.execute(query("ready_devices"))]
        self._due.sync(ready, leader.now_ms())

    def _campaigns(self) -> None:
        """Fire what is scheduled for now, and drive what is accepted, again when its job was lost."""
        with self.engine.begin() as db:
            for campaign_id, status in schedule.fire_due(db).items():
                log.info("[WA_BROADCAST] broadcast=%s its time has come: %s", campaign_id, status)
            accepted = schedule.accepted(db)
        now = time.monotonic()
        self._driven = {id: at for id, at in self._driven.items() if now - at < DRIVE_AGAIN_S}
        for campaign_id, job_id in accepted:
            if campaign_id not in self._driven:
                self._driven[campaign_id] = now
                self.broker.enqueue_many([message("enqueue_campaign", queues.CAMPAIGNS, campaign_id, job_id=job_id)])
                log.info("[WA_BROADCAST] broadcast=%s job=%s queued", campaign_id, job_id)

    def _events(self) -> None:
        with self.engine.begin() as db:
            waits = db.execute(text("SELECT EXISTS (SELECT 1 FROM events WHERE applied_at IS NULL)")).scalar_one()
        if waits:
            self._queue("apply_events", queues.EVENTS)

    def _health(self) -> None:
        with self.engine.begin() as db:
            waits = bool(health.due(db))
        if waits:
            self._queue("check_health")

    def _queues(self) -> None:
        """Write down how deep the queues are, or that Redis is away."""
        try:
            facts = self.queue_look.facts()
        except redis.RedisError:
            with self.engine.begin() as db:
                queue_reports.redis_away(db)
        else:
            with self.engine.begin() as db:
                queue_reports.write(db, facts)

    def _queue(self, actor: str, queue: str = queues.UPKEEP) -> None:
        if once.queue(self.redis, actor):
            self.broker.enqueue_many([message(actor, queue)])


def main() -> int:
    try:
        settings = start.checked("database_url", "redis_url")
    except start.CannotStartError as error:
        return start.refuse(error)
    set_up(settings.log_level, "dispatcher")
    engine = connect(environment.given(settings, "database_url"), threads=2, name="dispatcher")
    dispatcher = Dispatcher(
        settings=settings,
        engine=engine,
        redis=redis.Redis.from_url(
            environment.given(settings, "redis_url"), socket_timeout=5, socket_connect_timeout=5
        ),
        broker=brokers.make(environment.given(settings, "redis_url")),
        presence=Presence(engine, Process(process_id(), "dispatcher", threads=1)),
        queue_look=QueueLook(environment.given(settings, "redis_url")),
    )

    def stop(_signal: int, _frame: FrameType | None) -> None:
        dispatcher.stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    dispatcher.presence.start()
    dispatcher.run()
    dispatcher.presence.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
