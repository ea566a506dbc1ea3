"""Processes say that they are there, and the leading dispatcher says how the queues and Redis are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from fleet import Fleet
from sqlalchemy import Connection, Engine, text
from waiting import until

from actors.broker import queue_url
from actors.presence import Presence
from actors.queue_look import QueueLook
from db.engine import connect
from local.redis import EmbeddedRedis
from services import processes, queue_reports
from services.processes import Process

ONE = Process("here:1", "worker", threads=4)


def seen(engine: Engine) -> list[tuple[str, bool]]:
    with engine.begin() as db:
        return [(row.id, row.leads) for row in db.execute(text("SELECT id, leads FROM processes ORDER BY id"))]


def test_a_process_is_there_from_its_start_to_its_end(engine: Engine) -> None:
    presence = Presence(engine, ONE)
    presence.start()
    until(lambda: seen(engine) == [("here:1", False)], "it is there")
    presence.leads(True)
    until(lambda: seen(engine) == [("here:1", True)], "it is said at once that it leads", within_s=3)
    presence.stop()
    assert seen(engine) == []


def test_a_database_that_is_away_is_no_matter_to_it(caplog: pytest.LogCaptureFixture) -> None:
    presence = Presence(connect("postgresql://nobody@127.0.0.1:1/none", threads=1, name="tests"), ONE)
    presence.start()
    presence.stop()
    assert not presence._thread.is_alive()
    assert caplog.records == []


def test_one_that_took_over_an_id_is_new_and_the_long_gone_are_forgotten(db: Connection) -> None:
    for gone in ("gone:1", ONE.id):
        processes.report(db, Process(gone, "worker", 1), leads=False, first=True)
    db.execute(
        text("UPDATE processes SET started_at = started_at - interval '1 day', seen_at = seen_at - interval '6 min'")
    )
    processes.report(db, ONE, leads=False, first=True)
    row = db.execute(
        text("SELECT id, threads, version, started_at > now() - interval '1 minute' AS new FROM processes")
    ).one()
    assert tuple(row) == (ONE.id, 4, processes.version(), True)
    started_at = text("SELECT started_at FROM processes")
    before = db.execute(started_at).scalar_one()
    processes.report(db, ONE, leads=False, first=False)
    assert db.execute(started_at).scalar_one() == before


def test_workers_and_dispatchers_report_themselves(make_fleet: Callable[..., Fleet], redis_url: str) -> None:
    fleet = make_fleet(worker_threads=3).start("worker", "dispatcher", "dispatcher-2")

    def kinds() -> list[tuple[str, int, bool]]:
        return [tuple(row) for row in fleet.rows("SELECT kind, threads, leads FROM processes ORDER BY kind, leads")]

    both = [("dispatcher", 1, False), ("dispatcher", 1, True)]
    until(lambda: kinds() == [*both, ("worker", 3, False)], "all are there")
    worker = fleet.one("SELECT id FROM processes WHERE kind = 'worker'")
    assert int(worker.rpartition(":")[2]) in fleet.pids("worker")

    client = redis.Redis.from_url(queue_url(redis_url))
    job = {"queue_name": "upkeep", "actor_name": "of_an_older_release", "args": [7, "a text"], "kwargs": {}}
    more = {"options": {"redis_message_id": "1"}, "message_id": "1", "message_timestamp": 0}
    client.hset("fanfare:upkeep.msgs", "1", json.dumps({**job, **more}))
    client.rpush("fanfare:upkeep", "1")
    client.close()

    def report() -> queue_reports.QueueReport | None:
        with fleet.engine.begin() as db:
            return queue_reports.read(db)

    def dead() -> queue_reports.QueueReport | None:
        told = report()
        return told if told is not None and told.dead_letters else None

    told = until(dead, "the job that nobody knows is reported")
    (letter,) = told.dead_letters
    assert (letter.queue, letter.actor, letter.arguments) == ("upkeep", "of_an_older_release", [7])
    assert [(queue.name, queue.dead) for queue in told.queues] == [
        ("upkeep", 1),
        ("campaigns", 0),
        ("sends", 0),
        ("events", 0),
    ]
    assert (told.away_since, told.memory_used > 0, told.redis_version != "") == (None, True, True)

    leader = fleet.one("SELECT id FROM processes WHERE leads")
    name = next(name for name in ("dispatcher", "dispatcher-2") if str(fleet.processes[name].pid) in leader)
    fleet.processes[name].terminate()
    fleet.processes["worker"].terminate()
    until(lambda: kinds() == [("dispatcher", 1, True)], "the other leads, and who ended is gone")


def test_a_redis_that_tells_little_of_itself_is_no_matter(redis_url: str) -> None:
    look = QueueLook(redis_url)
    look._client.set_response_callback("INFO", lambda *_args, **_more: {})
    facts = look.facts()
    assert (facts["memory_used"], facts["memory_limit"], facts["redis_version"]) == (0, 0, "")


@pytest.fixture
def fleet(own_redis: EmbeddedRedis, database_url: str, tmp_path: Path) -> Iterator[Fleet]:
    fleet = Fleet(tmp_path / "fleet", database_url, own_redis.url)
    yield fleet
    fleet.stop()


def test_a_redis_that_is_away_is_reported_with_the_last_figures(own_redis: EmbeddedRedis, fleet: Fleet) -> None:
    fleet.start("dispatcher")
    counted = "SELECT facts ? 'counted_at' AND NOT facts ? 'away_since' FROM reports"
    until(lambda: fleet.rows(counted) == [(True,)], "the queues are reported")
    own_redis.kill()
    until(lambda: fleet.one("SELECT facts ? 'away_since' FROM reports"), "it is away")
    with fleet.engine.begin() as db:
        first = queue_reports.read(db)
    assert first is not None
    assert first.counted_at is not None
    assert first.memory_used > 0
    looks = "SELECT at > CAST(:at AS timestamptz) FROM reports"
    at = fleet.one("SELECT at FROM reports")
    until(lambda: fleet.one(looks, at=at), "it is looked at again")
    with fleet.engine.begin() as db:
        again = queue_reports.read(db)
    assert again is not None
    assert (again.away_since, again.counted_at) == (first.away_since, first.counted_at)
    assert fleet.one("SELECT leads FROM processes")
    own_redis.start()
    until(lambda: fleet.one(counted), "it is back")
