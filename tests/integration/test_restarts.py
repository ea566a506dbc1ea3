"""Servers that are killed and come back under a running campaign."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fleet import Fleet
from ledger import adds_up, everybody_once, one_send_at_a_time
from people import add_devices, launch_to, phones
from waiting import until

from db.engine import connect_once
from db.migrate import migrate
from local.postgres import EmbeddedPostgres
from local.redis import EmbeddedRedis
from local.server import EmbeddedServer
from services import distribute

PEOPLE = 150


@pytest.fixture
def own_postgres(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path / "postgres", password="tests", fsync=False)
    server.start()
    migrate(connect_once(server.url, name="tests"))
    yield server
    server.remove()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(tmp_path / "redis", password="tests", fsync=False)
    server.start()
    yield server
    server.remove()


@pytest.fixture
def fleet(own_postgres: EmbeddedPostgres, own_redis: EmbeddedRedis, tmp_path: Path) -> Iterator[Fleet]:
    fleet = Fleet(tmp_path / "fleet", own_postgres.url, own_redis.url, send_limit_s=1, simulator_receipts="false")
    yield fleet
    fleet.stop()


@pytest.mark.parametrize("what", ["postgres", "redis", "bridge"])
def test_a_server_killed_twice_under_a_campaign(
    fleet: Fleet, own_postgres: EmbeddedPostgres, own_redis: EmbeddedRedis, what: str
) -> None:
    fleet.start("bridge")
    fleet.sessions_can_send("device1", "device2", "device3")
    with fleet.engine.begin() as db:
        add_devices(db, 3, gap_s=0.05)
    fleet.start("worker", "dispatcher")
    with fleet.engine.begin() as db:
        campaign_id = launch_to(db, phones(PEOPLE)).campaign_id
    servers: dict[str, EmbeddedServer] = {"postgres": own_postgres, "redis": own_redis}
    for kill in range(1, 3):
        until(
            lambda kill=kill: fleet.one("SELECT count(*) FROM messages WHERE status = 'sent'") >= kill * 30,
            f"kill {kill}",
            every_s=0.01,
        )
        if what == "bridge":
            fleet.kill("bridge")
            fleet.start("bridge")
        else:
            servers[what].kill()
            servers[what].start()
            fleet.engine.dispose()
    fleet.ended(campaign_id, within_s=90)
    counts = fleet.counts(campaign_id)
    in_doubt = counts.get("unknown", 0)
    # A bridge that dies between the hand-over and its word leaves at most its sends of that moment in doubt.
    assert in_doubt <= (6 if what == "bridge" else 0)
    adds_up(fleet, campaign_id, sent=PEOPLE - in_doubt, unknown=in_doubt)
    if not in_doubt:
        everybody_once(fleet, phones(PEOPLE))
    assert max(fleet.received().values()) == 1
    one_send_at_a_time(fleet)


def test_what_an_outage_of_everything_has_made_stale_is_not_sent_after_it(fleet: Fleet) -> None:
    fleet.start("bridge")
    fleet.sessions_can_send("device1")
    with fleet.engine.begin() as db:
        add_devices(db, 1)
        campaign_id = launch_to(db, phones(5)).campaign_id
        distribute.distribute(db, campaign_id)
    for statement in (
        "UPDATE devices SET next_send_at = clock_timestamp() - interval '4 hours'",
        "UPDATE messages SET due_at = clock_timestamp() - interval '4 hours'",
        "INSERT INTO marks (name, at) VALUES ('stalled', clock_timestamp() - interval '4 hours')",
    ):
        fleet.execute(statement)
    fleet.start("dispatcher")  # it does not wait for a worker to end them
    expired = [("failed", "expired")]
    until(lambda: fleet.rows("SELECT DISTINCT status, error_code FROM messages") == expired, "they are ended")
    fleet.start("worker")
    assert fleet.ended(campaign_id) == "failed"
    assert fleet.received() == {}
