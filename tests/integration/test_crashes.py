"""Whatever dies, freezes, repeats itself or forgets: nothing lost, nothing doubled, one send at a time, no gap cut."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest
import redis
from fleet import Fleet
from ledger import adds_up, everybody_once, one_send_at_a_time, pace_kept
from people import add_devices, launch_to, phones
from waiting import until

# Recovery waits for the lease, which is ten seconds longer than a bridge has for a send.
SETTINGS = {"send_limit_s": 1, "simulator_receipts": "false"}
JUST_BEGUN = (
    "SELECT EXISTS (SELECT 1 FROM messages WHERE status = 'processing'"
    " AND processing_started_at > clock_timestamp() - interval '10 milliseconds')"
)


def ready(fleet: Fleet, devices: int, gap_s: float = 0.0) -> list[int]:
    """A simulator with sessions that can send, and their devices."""
    fleet.start("bridge")
    fleet.sessions_can_send(*(f"device{n}" for n in range(1, devices + 1)))
    with fleet.engine.begin() as db:
        return add_devices(db, devices, gap_s=gap_s)


def launched(fleet: Fleet, numbers: list[str]) -> int:
    with fleet.engine.begin() as db:
        return launch_to(db, numbers).campaign_id


def sent(fleet: Fleet) -> int:
    return int(fleet.one("SELECT count(*) FROM messages WHERE status = 'sent'"))


def test_a_thousand_people_while_workers_are_killed(make_fleet: Callable[..., Fleet]) -> None:
    fleet = make_fleet(**SETTINGS, simulator_latency_ms=30)
    ready(fleet, 6, gap_s=0.03)
    fleet.start("worker", "dispatcher")
    absent = [f"+97252{n:02}99001" for n in range(20)]
    campaign_id = launched(fleet, [*phones(980), *absent])
    for kill in range(1, 6):
        until(lambda kill=kill: sent(fleet) >= kill * 150, f"kill {kill}", within_s=60)
        if kill == 5:  # the others find one or not: each that does costs its device the rest of a lease
            until(lambda: fleet.one(JUST_BEGUN), "a send is under way", every_s=0.001)
        fleet.kill("worker")
        fleet.start("worker")
    assert fleet.ended(campaign_id, within_s=120) == "partial"
    everybody_once(fleet, phones(980))
    one_send_at_a_time(fleet)
    adds_up(fleet, campaign_id, sent=980, failed=20)
    codes = fleet.rows("SELECT DISTINCT error_code FROM messages WHERE status = 'failed'")
    assert codes == [("not_on_whatsapp",)]
    # A kill did hit a message on its way: otherwise this test would show nothing.
    assert fleet.one("SELECT count(*) FROM attempts WHERE finished_at - begun_at > interval '10 seconds'") > 0


def test_redis_emptied_in_mid_campaign(make_fleet: Callable[..., Fleet]) -> None:
    fleet = make_fleet(**SETTINGS)
    ready(fleet, 6, gap_s=0.3)
    fleet.start("worker", "dispatcher")
    campaign_id = launched(fleet, phones(150))
    client = redis.Redis.from_url(fleet.settings["REDIS_URL"])
    for flush in range(1, 4):
        until(lambda flush=flush: sent(fleet) >= flush * 30, f"flush {flush}")
        client.flushall()
    assert fleet.ended(campaign_id) == "completed"
    everybody_once(fleet, phones(150))
    one_send_at_a_time(fleet)
    pace_kept(fleet, 0.3)
    adds_up(fleet, campaign_id, sent=150)


def test_two_dispatchers_and_a_queue_that_repeats_everything(make_fleet: Callable[..., Fleet]) -> None:
    fleet = make_fleet(**SETTINGS)
    ready(fleet, 6, gap_s=0.3)
    fleet.start("worker", "worker-2", "tripling", "dispatcher")
    campaign_id = launched(fleet, phones(120))
    until(lambda: sent(fleet) >= 40, "it is under way")
    fleet.kill("tripling" if "leads" in fleet.log("tripling") else "dispatcher")
    assert fleet.ended(campaign_id) == "completed"
    everybody_once(fleet, phones(120))
    one_send_at_a_time(fleet)
    pace_kept(fleet, 0.3)
    adds_up(fleet, campaign_id, sent=120)
    assert fleet.one("SELECT max(attempt) FROM messages") == 1


def test_everything_delivered_three_times(make_fleet: Callable[..., Fleet]) -> None:
    fleet = make_fleet(**SETTINGS)
    ready(fleet, 3, gap_s=0.0)
    fleet.start("worker", "worker-2", "tripling")
    campaign_id = launched(fleet, phones(200))
    assert fleet.ended(campaign_id) == "completed"
    everybody_once(fleet, phones(200))
    one_send_at_a_time(fleet)
    adds_up(fleet, campaign_id, sent=200)
    assert fleet.one("SELECT max(attempt) FROM messages") == 1


def test_a_worker_frozen_before_its_call_until_after_recovery(make_fleet: Callable[..., Fleet]) -> None:
    fleet = make_fleet(**SETTINGS)
    ready(fleet, 2, gap_s=0.5)
    fleet.start("freezing", "dispatcher")
    campaign_id = launched(fleet, phones(10))
    frozen = fleet.folder / "frozen-once"
    until(lambda: frozen.exists() and frozen.read_text(), "the worker has begun and frozen")
    message_id = int(frozen.read_text().split(".")[0])
    fleet.start("worker")
    until(
        lambda: fleet.one("SELECT attempt FROM messages WHERE id = :id", id=message_id) == 2,
        "recovery has closed the key and the message was begun again",
        within_s=40,
    )
    assert fleet.rows("SELECT outcome, proof FROM attempts WHERE message_id = :id AND number = 1", id=message_id) == [
        ("not_sent", "closed")
    ]
    fleet.signal("freezing", signal.SIGCONT)
    until(lambda: "not sent: key_closed" in fleet.log("freezing"), "it wakes, calls, and is refused")
    assert fleet.ended(campaign_id) == "completed"
    everybody_once(fleet, phones(10))
    one_send_at_a_time(fleet)
    pace_kept(fleet, 0.5)
    adds_up(fleet, campaign_id, sent=10)


@pytest.mark.parametrize("lost", ["worker", "dispatcher"])
def test_a_process_that_is_told_to_stop_leaves_nothing_half_done(make_fleet: Callable[..., Fleet], lost: str) -> None:
    fleet = make_fleet(**SETTINGS, simulator_latency_ms=300)
    ready(fleet, 4, gap_s=0.1)
    fleet.start("worker", "dispatcher")
    campaign_id = launched(fleet, phones(60))
    until(lambda: sent(fleet) >= 10, "it is under way")
    fleet.processes[lost].send_signal(signal.SIGTERM)
    assert fleet.processes[lost].wait(25) == 0
    if lost == "worker":
        assert fleet.one("SELECT count(*) FROM messages WHERE status = 'processing'") == 0
    fleet.start(lost)
    assert fleet.ended(campaign_id) == "completed"
    everybody_once(fleet, phones(60))
    one_send_at_a_time(fleet)
    adds_up(fleet, campaign_id, sent=60)
