"""The bridge is up and of no use: it has forgotten everything, has another secret, or swallows what it is asked."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable

import redis
from fleet import Fleet
from oracle import kept
from people import phones, workspace
from proxy import Fault, Proxy
from staging import launched, ready, sent
from waiting import until

from actors import broker as brokers
from actors import queues
from services import control

ProxyTo = Callable[[str], tuple[Proxy, str]]


def test_a_bridge_that_has_lost_its_ledger_proves_nothing(make_fleet: Callable[..., Fleet]) -> None:
    """It has never heard of what it was sending when it died, and that is no proof that nothing went out."""
    fleet = make_fleet(send_limit_s=1, simulator_receipts="false", simulator_latency_ms=200)
    ready(fleet, 3)
    fleet.kill("bridge")
    campaign_id = launched(fleet, phones(12))
    victim = fleet.one("SELECT min(id) + 4 FROM messages")
    fleet.start("bridge", "worker", "dispatcher", failpoint=f"bridge_sent:kill:{victim}.1")
    until(lambda: fleet.processes["bridge"].poll() is not None, "the bridge has died", every_s=0.01)
    in_flight = {row.id for row in fleet.rows("SELECT id FROM messages WHERE status = 'processing'")}
    with sqlite3.connect(fleet.folder / "simulator.db") as ledger:
        ledger.execute("DELETE FROM keys")
        ledger.execute("UPDATE made SET at = ?", (time.time(),))
    ledger.close()
    fleet.start("bridge")
    assert fleet.ended(campaign_id) == "partial"
    unknown = fleet.rows("SELECT id, attempt, error_code FROM messages WHERE status = 'unknown' ORDER BY id")
    assert victim in in_flight
    assert in_flight <= {row.id for row in unknown}
    assert {(row.attempt, row.error_code) for row in unknown} == {(1, "outcome_unknown")}
    assert len(unknown) <= 3
    kept(fleet, phones(12))


def test_a_bridge_with_another_secret_costs_nobody_an_attempt(fleet: Fleet, proxy_to: ProxyTo) -> None:
    ready(fleet, 3, gap_s=0.2)
    proxy, through = proxy_to(fleet.bridge_url)
    fleet.start("worker", "worker-2", "dispatcher", bridge_url=through)
    campaign_id = launched(fleet, phones(30))
    until(lambda: sent(fleet) >= 6, "it is under way")
    with fleet.engine.begin() as db:
        control.stop_all(db, workspace(db), who="a test")
    until(lambda: not fleet.one("SELECT count(*) FROM messages WHERE slot IS NOT NULL"), "nothing is in flight")
    fleet.kill("bridge")
    fleet.start("bridge", bridge_secret="another secret of the bridge")
    before = proxy.accepted
    with fleet.engine.begin() as db:
        control.go(db, workspace(db), who="a test")
    until(lambda: fleet.one("SELECT failures FROM bridges") >= 3, "it was probed twice", within_s=20)
    asked = proxy.accepted - before
    refused, failures = fleet.rows(
        "SELECT count(*) FILTER (WHERE error_code = 'bridge_secret'), (SELECT failures FROM bridges) FROM attempts"
    )[0]
    # Each phone has tried once at most; whatever came after that were probes, one at a time.
    assert refused <= 3
    assert asked <= refused + failures
    assert fleet.one("SELECT max(attempts_used) FROM messages") == 0
    fleet.kill("bridge")
    fleet.start("bridge")
    fleet.execute("UPDATE bridges SET next_probe_at = clock_timestamp()")  # it would be probed in 5 s
    assert fleet.ended(campaign_id) == "completed"
    assert fleet.one("SELECT max(attempts_used) FROM messages") == 0
    kept(fleet, phones(30))


def test_a_bridge_that_swallows_what_it_is_asked_is_probed_by_one(fleet: Fleet, proxy_to: ProxyTo) -> None:
    """However many workers there are, and however often they are told to look."""
    ready(fleet, 2)
    proxy, through = proxy_to(fleet.bridge_url)
    proxy.set(Fault(black_hole=True))
    fleet.start("worker", "worker-2", "dispatcher", bridge_url=through)
    until(lambda: proxy.accepted, "a probe has gone out")
    queue = brokers.make(fleet.settings["REDIS_URL"])
    redis.Redis.from_url(fleet.settings["REDIS_URL"]).flushdb()  # with the mark that a look is under way
    queue.enqueue_many(brokers.message("check_health", queues.UPKEEP) for _ in range(6))
    until(
        lambda: queue.client.hlen(f"{queue.namespace}:{queues.UPKEEP}.msgs") <= 1,
        "all but the one that hangs have found nothing to do",
        within_s=8,
        every_s=0.005,
    )
    assert proxy.accepted == 1
    proxy.set(None)
    proxy.reset_all()
    until(lambda: fleet.one("SELECT away_since IS NULL AND checked_at IS NOT NULL FROM bridges"), "it is back")
    queue.close()
    assert fleet.ended(launched(fleet, phones(6))) == "completed"
    kept(fleet, phones(6))
