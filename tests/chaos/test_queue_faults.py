"""A queue that repeats itself, dispatchers that both lead, clocks that are wrong: no message is begun twice for it."""

from __future__ import annotations

import signal
from collections.abc import Callable
from datetime import datetime

import pytest
from fleet import Fleet
from ledger import pace_kept
from oracle import kept
from people import phones
from staging import launched, ready, sent
from waiting import until

from settings import ROOT


@pytest.fixture
def fleet(make_fleet: Callable[..., Fleet]) -> Fleet:
    """A worker is a master and two processes, as on a platform."""
    return make_fleet(send_limit_s=1, simulator_receipts="false", worker_processes=2, worker_threads=4)


def begun_once(fleet: Fleet) -> None:
    assert fleet.one("SELECT max(attempt) FROM messages") == 1


def test_everything_delivered_five_times(fleet: Fleet) -> None:
    ready(fleet, 3)
    fleet.start("worker", "worker-2", "repeating")
    campaign_id = launched(fleet, phones(150))
    assert fleet.ended(campaign_id) == "completed"
    kept(fleet, phones(150))
    begun_once(fleet)


@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
def test_two_dispatchers_of_which_the_leader_is(fleet: Fleet, fault: signal.Signals) -> None:
    """One that was frozen for longer than its session lives wakes in the belief that it still leads."""
    ready(fleet, 4, gap_s=0.2)
    fleet.start("worker", "dispatcher", "dispatcher-2")
    campaign_id = launched(fleet, phones(120))
    until(lambda: sent(fleet) >= 20, "it is under way")
    leader, other = sorted(("dispatcher", "dispatcher-2"), key=lambda name: "leads" not in fleet.log(name))
    assert "leads" not in fleet.log(other)
    fleet.signal(leader, fault)
    until(lambda: "leads" in fleet.log(other), "the other takes over")
    if fault == signal.SIGSTOP:
        fleet.signal(leader, signal.SIGCONT)
        until(lambda: "lost a server" in fleet.log(leader), "it notices that it leads no longer")
    assert fleet.ended(campaign_id) == "completed"
    kept(fleet, phones(120))
    pace_kept(fleet, 0.2)
    begun_once(fleet)


@pytest.mark.parametrize("ahead_s", [120, -120], ids=["ahead", "behind"])
def test_clocks_that_are_two_minutes_off(make_fleet: Callable[..., Fleet], ahead_s: int) -> None:
    """Bridge, API, dispatcher and one of two workers. A worker ahead takes the other for dead and queues its jobs again."""
    fleet = make_fleet(
        send_limit_s=1, worker_processes=2, worker_threads=4, pythonpath=ROOT / "tests/skewed", clock_ahead_s=ahead_s
    )
    ready(fleet, 3, gap_s=0.05)
    error = {"failpoint": "after_begin:error:1.1"}  # the first message of this database
    fleet.start("api", "worker", "dispatcher", **error).start("worker-2", **error, clock_ahead_s=0)
    until(lambda: fleet.one("SELECT count(*) FROM processes WHERE kind = 'worker'") == 4, "both workers are there")
    campaign_id = launched(fleet, phones(90))
    assert fleet.ended(campaign_id) == "completed"
    until(lambda: fleet.counts(campaign_id) == {"read": 90}, "all receipts have come")
    now = fleet.one("SELECT clock_timestamp()")
    clocks = [fleet.log(name).partition(" ")[0] for name in ("worker", "worker-2", "dispatcher")]
    clocks.append(fleet.deliveries()[0]["started_at"])
    minutes_off = [round((datetime.fromisoformat(clock) - now).total_seconds() / 60) for clock in clocks]
    assert minutes_off == [ahead_s / 60, 0, ahead_s / 60, ahead_s / 60]
    # Only the message whose send failed was begun again, on the word of the bridge's ledger.
    assert fleet.rows("SELECT id, attempt FROM messages WHERE attempt > 1") == [(1, 2)]
    kept(fleet, phones(90))
    pace_kept(fleet, 0.05)
