"""Receipts that come in any order, again, too early, too late, and to a door that closes on them."""

from __future__ import annotations

import hmac
import json
import random
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests
from fleet import SECRETS, Fleet
from oracle import kept
from people import phones
from proxy import Fault, Proxy
from staging import launched, ready, sent
from waiting import until

from services import control

FLEET = {"send_limit_s": 1, "worker_threads": 4}
WAITING = "SELECT count(*) FROM events WHERE applied_at IS NULL"
READ = "SELECT count(*) FROM messages WHERE status = 'read'"


def receipt(key: str, status: str, *, event_id: str | None = None) -> dict[str, Any]:
    return {
        "event_id": event_id or f"{key} {status}",
        "session": "device1",
        "type": "receipt",
        "at": "2026-11-21T10:00:00Z",
        "data": {"key": key, "message_id": f"id of {key}", "status": status, "error": None},
    }


def post(fleet: Fleet, event: dict[str, Any]) -> int:
    body = json.dumps(event).encode()
    signature = "sha256=" + hmac.digest(SECRETS["EVENTS_SECRET"].encode(), body, "sha256").hex()
    return requests.post(
        f"{fleet.api_url}/events/bridge", data=body, headers={"X-Signature": signature}, timeout=30
    ).status_code


def applied(fleet: Fleet) -> None:
    until(lambda: fleet.one(WAITING) == 0, "all events are applied")


def keys(fleet: Fleet) -> list[str]:
    return [
        f"{row.message_id}.{row.number}" for row in fleet.rows("SELECT message_id, number FROM attempts ORDER BY 1, 2")
    ]


def test_shuffled_and_repeated(make_fleet: Callable[..., Fleet]) -> None:
    """From eight threads at once, one body of them a hundred times more; then of a campaign that was cancelled meanwhile."""
    fleet = make_fleet(**FLEET, simulator_receipts="false")
    ready(fleet, 2)
    fleet.start("api", "worker", "dispatcher")
    numbers = phones(20)
    assert fleet.ended(launched(fleet, numbers)) == "completed"
    events = [receipt(key, status) for key in keys(fleet) for status in ("sent", "delivered", "read", "failed")] * 3
    random.Random(7).shuffle(events)
    events += [events[0]] * 100
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda event: post(fleet, event), events)) == {200}
    applied(fleet)
    assert fleet.one("SELECT count(*) FROM events WHERE type = 'receipt'") == 20 * 4
    assert fleet.one(READ) == 20
    kept(fleet, numbers)


def test_before_the_record_and_after_a_cancel(make_fleet: Callable[..., Fleet]) -> None:
    """A worker freezes with the answer in its hand; its campaign is cancelled, and the receipt comes all the same."""
    fleet = make_fleet(**FLEET)
    ready(fleet, 1)
    fleet.start("api", "dispatcher")
    fleet.start("worker", failpoint="after_bridge_call:stop")
    numbers = phones(12)
    campaign_id = launched(fleet, numbers)
    until(fleet.deliveries, "the worker has handed one over and frozen")
    with fleet.engine.begin() as db:
        control.cancel(db, campaign_id, who="dana")
    fleet.start("worker-2")
    until(lambda: fleet.one(READ) == 1, "it is read")
    fleet.signal("worker", signal.SIGCONT)
    until(lambda: fleet.one("SELECT count(*) FROM messages WHERE slot IS NOT NULL") == 0, "nothing is held any more")
    assert fleet.one("SELECT count(*) FROM attempts") == 1
    assert fleet.counts(campaign_id) == {"read": 1, "cancelled": 11}
    kept(fleet, numbers)


def test_of_an_earlier_attempt(make_fleet: Callable[..., Fleet]) -> None:
    """What is said of an attempt that was proven not sent is true of that one only: the message goes its way."""
    fleet = make_fleet(**FLEET, simulator_receipts="false")
    ready(fleet, 1)
    fleet.start("api", "dispatcher")
    fleet.start("worker", failpoint="after_begin:kill")
    numbers = phones(3)
    campaign_id = launched(fleet, numbers)
    until(lambda: fleet.processes["worker"].poll() is not None, "it is killed with a message in its hand")
    (first,) = keys(fleet)
    fleet.start("worker")
    assert fleet.ended(campaign_id) == "completed"
    again = first.replace(".1", ".2")
    assert keys(fleet)[:2] == [first, again]
    for event in (
        receipt(again, "read"),
        receipt(first, "failed"),
        receipt(again, "delivered"),
        receipt(again, "failed"),
    ):
        assert post(fleet, event) == 200
    assert post(fleet, receipt("999999.1", "read")) == 200
    applied(fleet)
    assert fleet.counts(campaign_id) == {"sent": 2, "read": 1}
    kept(fleet, numbers)


def test_the_door_closes_and_nobody_is_at_home(
    make_fleet: Callable[..., Fleet], proxy_to: Callable[[str], tuple[Proxy, str]]
) -> None:
    """The API stores and dies before it has answered; the workers are away; the one that comes first dies over it."""
    fleet = make_fleet(**FLEET)
    proxy, fleet.settings["EVENTS_URL"] = proxy_to(fleet.settings["EVENTS_URL"])
    ready(fleet, 2)
    proxy.set(Fault(to_server=False, at=b'"stored"', times=3))
    fleet.start("api", "worker", "dispatcher")
    numbers = phones(10)
    campaign_id = launched(fleet, numbers)
    until(lambda: sent(fleet) + fleet.one(READ) >= 4, "some are sent", every_s=0.005)
    fleet.kill("worker")
    until(lambda: proxy.struck == 3, "answers are lost")
    proxy.set(Fault(to_server=False, black_hole=True))
    stored = "SELECT count(*) FROM events WHERE type = 'receipt'"
    before = fleet.one(stored)
    fleet.kill("api")
    proxy.set(None)
    fleet.start("api")
    until(lambda: fleet.one(stored) >= before and fleet.one(WAITING), "they wait for a worker")
    with fleet.engine.begin() as db:  # somebody is busy with these rows, and the worker waits for it in the middle
        db.exec_driver_sql("SELECT 1 FROM messages FOR UPDATE")
        fleet.start("worker")
        until(lambda: fleet.one("SELECT count(*) FROM pg_locks WHERE NOT granted"), "it applies them")
        fleet.kill("worker")
    fleet.start("worker")
    assert fleet.ended(campaign_id) == "completed"
    until(lambda: fleet.one(READ) == 10, "all are read")
    applied(fleet)
    assert fleet.one(stored) == 2 * len(numbers)  # delivered and read, each once, however often it was posted
    kept(fleet, numbers)
