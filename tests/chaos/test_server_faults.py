"""Redis and Postgres that die, forget, fill up or fall silent under running campaigns."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

import psycopg2
import pytest
import redis
from databases import admin
from fleet import Fleet
from full_disk import DiskThatFills
from ledger import pace_kept
from oracle import kept
from people import phones
from proxy import Fault, Proxy
from staging import launched, ready, sent
from waiting import until

from local import postgres
from local.postgres import EmbeddedPostgres
from local.redis import EmbeddedRedis
from services import distribute

PEOPLE = 24
GAP_S = 0.1
CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'fanfare %'"
LOST_BEGINS = "SELECT count(*) FROM attempts WHERE outcome = 'not_sent' AND proof = 'closed'"

PutProxy = Callable[[str], tuple[Proxy, str]]


@pytest.fixture
def fleet_over(tmp_path: Path) -> Iterator[Callable[[str, str], Fleet]]:
    """A fleet over these servers (URLs of Postgres and Redis), with leases short enough to wait for."""
    with ExitStack() as fleets:

        def over(database_url: str, redis_url: str) -> Fleet:
            fleet = Fleet(tmp_path / "fleet", database_url, redis_url, send_limit_s=1, simulator_receipts="false")
            fleets.callback(fleet.stop)
            return fleet

        yield over


def has_sent(fleet: Fleet, least: int) -> bool:
    return sent(fleet) >= least


def strike_each(fleet: Fleet, faults: dict[str, Callable[[], object]]) -> None:
    """Each of these happens in the middle of a campaign of its own; the campaigns end, and nobody is lost or doubled."""
    everybody = phones(PEOPLE * len(faults))
    for done, (name, strike) in enumerate(faults.items()):
        before = PEOPLE * done
        campaign_id = launched(fleet, everybody[before : before + PEOPLE])
        until(partial(has_sent, fleet, before + 6), f"it is under way: {name}", every_s=0.01)
        strike()
        assert fleet.ended(campaign_id, within_s=45) == "completed", name
    kept(fleet, everybody)
    pace_kept(fleet, GAP_S)


def said(fleet: Fleet, name: str, words: str) -> Callable[[], bool]:
    """Whether a process has said these words since now."""
    heard = len(fleet.log(name))
    return lambda: words in fleet.log(name)[heard:]


def test_redis(
    fleet_over: Callable[[str, str], Fleet], database_url: str, own_redis: EmbeddedRedis, proxy_to: PutProxy
) -> None:
    proxy, url = proxy_to(own_redis.url)
    fleet = fleet_over(database_url, url)
    ready(fleet, 2, gap_s=GAP_S)
    fleet.start("worker", "dispatcher")
    client = redis.Redis.from_url(own_redis.url)

    def killed() -> None:
        own_redis.kill()
        own_redis.start()

    def started_empty() -> None:
        own_redis.kill()
        shutil.rmtree(own_redis.data)
        own_redis.start()

    def full() -> None:
        refused = said(fleet, "dispatcher", "lost a server (OutOfMemoryError)")
        client.config_set("maxmemory", 1)
        until(refused, "it refuses writes")
        client.config_set("maxmemory", 0)

    def silent() -> None:
        noticed = said(fleet, "dispatcher", "lost a server (TimeoutError)")
        proxy.set(Fault(black_hole=True))
        until(noticed, "it is silent")
        proxy.set(None)

    strike_each(
        fleet,
        {
            "emptied": client.flushall,
            "killed": killed,
            "started empty": started_empty,
            "full": full,
            "silent": silent,
        },
    )
    client.close()


@pytest.fixture
def few_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a Postgres that is started after this."""
    monkeypatch.setitem(postgres.SETTINGS, "max_connections", "40")


@pytest.mark.usefixtures("few_connections")
def test_postgres(fleet_over: Callable[[str, str], Fleet], own_postgres: EmbeddedPostgres, redis_url: str) -> None:
    fleet = fleet_over(own_postgres.url, redis_url)
    ready(fleet, 2, gap_s=GAP_S)
    fleet.start("worker", "dispatcher")

    def killed() -> None:
        own_postgres.kill()
        own_postgres.start()
        fleet.engine.dispose()

    def out_of_connections() -> None:
        with all_connections_taken(own_postgres.url):
            pass

    strike_each(
        fleet,
        {
            "killed": killed,
            "killed again": killed,
            "connections cut": lambda: admin(own_postgres.url, CUT),
            "out of connections": out_of_connections,
        },
    )


@contextmanager
def all_connections_taken(url: str) -> Iterator[None]:
    """Every connection is ours: those of the fleet are cut, and it gets none."""
    with ExitStack() as taken:
        killer = taken.enter_context(closing(psycopg2.connect(url)))
        killer.autocommit = True

        def all_are_ours() -> bool:
            with killer.cursor() as cursor:
                cursor.execute(CUT)
                cut = cursor.rowcount
            try:
                while True:
                    taken.enter_context(closing(psycopg2.connect(url)))
            except psycopg2.OperationalError:
                return cut == 0

        until(all_are_ours, "all connections are taken, and nobody of the fleet got one in between")
        yield


def test_connections_cut_at_commit(make_fleet: Callable[..., Fleet], proxy_to: PutProxy, database_url: str) -> None:
    """Before COMMIT arrives, and when it was done and only its answer is lost; of begin and of record."""
    fleet = make_fleet(send_limit_s=1, simulator_receipts="false", worker_threads=4)
    ready(fleet, 4, gap_s=GAP_S)
    fleet.start("dispatcher")
    faults = [
        Fault(at=b"COMMIT", following=following, after=after, times=2)
        for following in (b"EXECUTE begin", b"EXECUTE record_sent")
        for after in (False, True)
    ]
    # The second loses a begin of which nobody knows then; one that found nothing looks the same, so as often as it takes.
    faults[1].times = None
    proxies = []
    for number, fault in enumerate(faults):
        proxy, url = proxy_to(database_url)
        proxy.set(fault)
        proxies.append(proxy)
        fleet.start(f"worker-{number}", database_url=url)
    # Three would be done with everybody before the fourth, on a busy machine, has come.
    until(lambda: fleet.one("SELECT count(*) FROM processes WHERE kind = 'worker'") == len(faults), "all are there")
    numbers = phones(120)
    campaign_id = launched(fleet, numbers)
    until(
        lambda: fleet.one(LOST_BEGINS), "a begin was done, nobody knew, and recovery found that it went nowhere", 60.0
    )
    proxies[1].set(None)
    assert fleet.ended(campaign_id) == "completed"
    assert all(proxy.struck for proxy in proxies)
    # Nothing else was lost: a record is tried again, and finds itself done.
    assert fleet.one("SELECT count(*) FROM attempts WHERE outcome <> 'sent'") == fleet.one(LOST_BEGINS)
    kept(fleet, numbers)
    pace_kept(fleet, GAP_S)


def test_postgres_silent_to_one_worker(make_fleet: Callable[..., Fleet], proxy_to: PutProxy, database_url: str) -> None:
    """Another goes on; when its connections break at last it is a worker again."""
    fleet = make_fleet(send_limit_s=1, simulator_receipts="false", worker_threads=4)
    ready(fleet, 6, gap_s=GAP_S)
    proxy, url = proxy_to(database_url)
    fleet.start("worker", database_url=url)
    fleet.start("dispatcher")
    numbers = phones(60)
    campaign_id = launched(fleet, numbers)
    until(lambda: sent(fleet) >= 6, "it is under way", every_s=0.01)
    proxy.set(Fault(black_hole=True))
    fleet.start("worker-2")
    until(lambda: fleet.one("SELECT count(DISTINCT worker_id) FROM attempts") == 2, "another goes on")
    proxy.set(None)
    proxy.reset_all()
    assert fleet.ended(campaign_id) == "completed"
    kept(fleet, numbers)
    pace_kept(fleet, GAP_S)


def test_a_full_disk(fleet_over: Callable[[str, str], Fleet], disk_that_fills: DiskThatFills, redis_url: str) -> None:
    """Statements fail; then what was written ahead cannot be kept either, and Postgres dies of it."""
    fleet = fleet_over(disk_that_fills.postgres.url, redis_url)
    ready(fleet, 2, gap_s=GAP_S)
    fleet.start("worker", "dispatcher")

    def statements_fail() -> None:
        refused = said(fleet, "worker", "(DiskFull); trying again")
        with disk_that_fills.full():
            until(refused, "it refuses to write")

    def postgres_dies() -> None:
        with disk_that_fills.full():
            disk_that_fills.until_it_dies()
        disk_that_fills.postgres.start()
        fleet.engine.dispose()

    faults: dict[str, Callable[[], object]] = {"statements fail": statements_fail, "Postgres dies": postgres_dies}
    if disk_that_fills.ballast is None:  # what refuses a statement there refuses what is written ahead, too
        del faults["statements fail"]
    strike_each(fleet, faults)


def test_what_an_outage_of_everything_has_made_stale_is_not_sent_after_it(fleet: Fleet) -> None:
    ready(fleet, 1)
    campaign_id = launched(fleet, phones(5))
    with fleet.engine.begin() as db:
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
