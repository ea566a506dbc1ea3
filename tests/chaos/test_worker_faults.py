"""Workers and dispatchers that die, freeze and wake: nothing lost, nothing doubled, and each message where it belongs."""

from __future__ import annotations

import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import requests
from fleet import Fleet
from oracle import kept
from people import launch_to, phones
from sqlalchemy import text
from staging import launched, ready, sent
from waiting import until

from services import distribute

FIRST_ATTEMPT = (
    "SELECT m.status, a.outcome, a.proof FROM messages m LEFT JOIN attempts a ON a.message_id = m.id AND a.number = 1"
    " WHERE m.phone = :phone"
)
MESSAGE = "SELECT id FROM messages WHERE phone = :phone"
LEASE_S = 6  # of a send limit of 1 s
SENT = ("sent", "sent", None)
SENT_AGAIN = ("sent", "not_sent", "closed")
# Where a worker is killed; what its message and first attempt are then, whether the person has it, and what they end as.
PLACES = {
    "before_begin": (("queued", None, None), False, SENT),
    "after_record": (SENT, True, SENT),
    "after_bridge_call": (("processing", "begun", None), True, SENT),
    "after_begin": (("processing", "begun", None), False, SENT_AGAIN),
}


@pytest.fixture
def fleet(make_fleet: Callable[..., Fleet]) -> Fleet:
    """A worker is a master and two processes, as on a platform."""
    return make_fleet(send_limit_s=1, simulator_receipts="false", worker_processes=2, worker_threads=4)


def killed_at(fleet: Fleet, failpoint: str) -> None:
    """Run a worker until it is killed there; its master then ends the other process."""
    fleet.start("worker", failpoint=failpoint)
    until(lambda: fleet.processes["worker"].poll() is not None, f"it is killed at {failpoint}", within_s=40)


def test_a_worker_killed_at_each_place(fleet: Fleet) -> None:
    """One device and one person for each place. Recovery is killed as well, between its question and its answer."""
    devices = ready(fleet, len(PLACES))
    numbers = phones(len(PLACES))
    fleet.start("dispatcher")
    campaigns = []
    for device_id, phone, (place, (left, handed_over, _)) in zip(devices, numbers, PLACES.items(), strict=True):
        with fleet.engine.begin() as db:
            campaigns.append(launch_to(db, [phone], device_ids=[device_id]).campaign_id)
            distribute.distribute(db, campaigns[-1])
        key = f"{fleet.one(MESSAGE, phone=phone)}.1"
        killed_at(fleet, f"{place}:kill:{f'{device_id}:0' if place == 'before_begin' else key}")
        assert fleet.rows(FIRST_ATTEMPT, phone=phone) == [left]
        assert (phone in fleet.received()) == handed_over
    killed_at(fleet, f"after_close:kill:{key}")  # of the last, when its lease is over
    fleet.start("worker")
    for campaign_id, phone, (_, _, ended) in zip(campaigns, numbers, PLACES.values(), strict=True):
        assert fleet.ended(campaign_id) == "completed"
        assert fleet.rows(FIRST_ATTEMPT, phone=phone) == [ended]
    kept(fleet, numbers)


@pytest.mark.parametrize(
    ("place", "wakes", "outcomes"),
    [
        ("after_begin", "not sent: worker_lost, now late", [("not_sent", "closed"), ("sent", None)]),
        ("before_bridge_call", "not sent: key_closed, now late", [("not_sent", "closed"), ("sent", None)]),
        ("after_bridge_call", "sent, now late", [("sent", None)]),
    ],
)
def test_a_worker_frozen_past_its_lease_and_woken(
    fleet: Fleet, place: str, wakes: str, outcomes: list[tuple[str, str | None]]
) -> None:
    """It sees that its lease is over; where it is about to call, the bridge refuses the key that recovery has closed; after
    the call the late result changes nothing."""
    ready(fleet, 2)
    campaign_id = launched(fleet, phones(10))
    victim = fleet.one("SELECT min(id) FROM messages")
    fleet.start("dispatcher").start("worker", failpoint=f"{place}:stop:{victim}.1")
    assert fleet.ended(campaign_id) == "completed"  # without the process that is frozen
    assert wakes not in fleet.log("worker")
    fleet.signal("worker", signal.SIGCONT)
    until(lambda: wakes in fleet.log("worker"), "the frozen process wakes and goes on with its send")
    attempts = fleet.rows("SELECT outcome, proof FROM attempts WHERE message_id = :id ORDER BY number", id=victim)
    assert attempts == outcomes
    kept(fleet, phones(10))


def test_all_workers_and_the_dispatcher_killed_at_once(fleet: Fleet) -> None:
    ready(fleet, 4, gap_s=0.02)
    campaign_id = launched(fleet, phones(80))
    everything = ("worker", "worker-2", "dispatcher")
    fleet.start(*everything)
    until(lambda: sent(fleet) >= 20, "it is under way", every_s=0.005)
    for name in everything:
        fleet.signal(name, signal.SIGKILL)
    for name in everything:
        fleet.kill(name)
    fleet.start(*everything)
    assert fleet.ended(campaign_id) == "completed"
    kept(fleet, phones(80))


@pytest.mark.parametrize("end", ["kill", "error"])
def test_a_person_whose_message_ends_its_worker_each_time(fleet: Fleet, end: str) -> None:
    """After three attempts it is given up, and everybody else gets theirs."""
    ready(fleet, 3)
    numbers = phones(30)
    campaign_id = launched(fleet, numbers)
    poison = fleet.one(MESSAGE, phone=numbers[0])
    fleet.start("dispatcher").start("worker", failpoint=f"after_begin:{end}:{poison}.*")

    def given_up() -> bool:
        if fleet.processes["worker"].poll() is not None:  # what runs it on a platform starts it again
            fleet.start("worker", failpoint=f"after_begin:{end}:{poison}.*")
        return fleet.counts(campaign_id).get("failed") == 1

    until(given_up, "the message is given up", within_s=90)
    assert fleet.rows("SELECT id, error_code, attempt FROM messages WHERE status = 'failed'") == [(poison, "poison", 3)]
    tries = fleet.rows("SELECT begun_at, finished_at FROM attempts WHERE message_id = :id ORDER BY number", id=poison)
    if end == "error":  # the worker lives: nobody waits for the lease, and the two other devices go on
        assert max(each.finished_at - each.begun_at for each in tries) < timedelta(seconds=LEASE_S)
        assert fleet.one("SELECT count(*) FROM messages WHERE sent_at < :at", at=tries[-1].begun_at) >= 18
    assert fleet.ended(campaign_id) == "partial"
    assert fleet.counts(campaign_id) == {"sent": 29, "failed": 1}
    kept(fleet, numbers)


def told_to_stop(fleet: Fleet, name: str) -> None:
    """SIGTERM to all its processes at once, as a platform does; then it is ours to be gone before SIGKILL comes."""
    fleet.signal(name, signal.SIGTERM)
    assert fleet.processes[name].wait(25) == 0, fleet.log(name)


def test_told_to_stop_in_the_middle_of_sends(make_fleet: Callable[..., Fleet]) -> None:
    """Worker, dispatcher and bridge, one after the other: no send is half done, so none ends in doubt."""
    fleet = make_fleet(
        send_limit_s=1, simulator_receipts="false", simulator_latency_ms=300, worker_processes=2, worker_threads=4
    )
    ready(fleet, 6, gap_s=0.1)
    fleet.start("worker", "dispatcher")
    campaign_id = launched(fleet, phones(72))
    under_way = "SELECT count(*) FROM messages WHERE status = 'processing'"
    for number, name in enumerate(("worker", "dispatcher", "bridge"), start=1):
        until(lambda n=number: sent(fleet) >= n * 12 and fleet.one(under_way) >= 3, "sends are under way", every_s=0.01)
        told_to_stop(fleet, name)
        if name == "worker":
            assert fleet.rows("SELECT DISTINCT outcome FROM attempts") == [("sent",)]
        fleet.start(name)
    assert fleet.ended(campaign_id) == "completed"
    kept(fleet, phones(72))


def test_a_launch_is_answered_although_the_api_was_told_to_stop(fleet: Fleet) -> None:
    ready(fleet, 1)
    fleet.start("api")
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'fanfare api'"
    with ThreadPoolExecutor() as pool:
        with fleet.engine.begin() as db:
            db.execute(text("LOCK TABLE campaigns IN EXCLUSIVE MODE"))
            answer = pool.submit(fleet.api, "POST", "/api/broadcasts", {"message": "Hello", "phones": phones(3)})
            until(lambda: fleet.one(waits) == 1, "the launch is in the middle of its transaction")
            fleet.signal("api", signal.SIGTERM)
            until(lambda: refuses(fleet.api_url), "the API takes nothing new")
        assert answer.result().status_code == 202
    assert fleet.processes["api"].wait(25) == 0
    fleet.start("worker", "dispatcher")
    assert fleet.ended(answer.result().json()["broadcast_id"]) == "completed"
    kept(fleet, phones(3))


def refuses(url: str) -> bool:
    try:
        requests.get(f"{url}/healthz", timeout=2)
    except requests.ConnectionError:
        return True
    return False


def test_a_worker_told_to_stop_while_its_bridge_hangs(make_fleet: Callable[..., Fleet]) -> None:
    """It does not wait for the bridge: what it had under way is settled by recovery."""
    fleet = make_fleet(send_limit_s=4, simulator_receipts="false", worker_processes=2, worker_threads=4)
    ready(fleet, 3)
    fleet.bridge("POST", "/simulator/behaviour", {"shares": {"timeout_before": 1.0}})
    campaign_id = launched(fleet, phones(9))
    fleet.start("hasty", "dispatcher")
    until(lambda: fleet.one("SELECT count(*) FROM messages WHERE status = 'processing'") == 3, "three sends hang")
    told_to_stop(fleet, "hasty")
    assert fleet.rows("SELECT DISTINCT outcome FROM attempts") == [("begun",)]  # it did not wait for its time-out
    fleet.bridge("POST", "/simulator/behaviour", {"shares": {}})
    fleet.start("worker")
    assert fleet.ended(campaign_id) == "completed"
    assert fleet.rows("SELECT DISTINCT proof FROM attempts WHERE outcome <> 'sent'") == [("closed",)]
    kept(fleet, phones(9))
