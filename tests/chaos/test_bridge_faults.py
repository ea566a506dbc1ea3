"""The bridge dies, is not reached, answers too late, twice or not at all, forgets, or has another secret."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable

from fleet import Fleet
from oracle import kept
from people import launch_to, phones
from proxy import Fault, Proxy
from sqlalchemy import text
from staging import launched, ready
from waiting import until

ProxyTo = Callable[[str], tuple[Proxy, str]]

ATTEMPTS = "SELECT number, outcome, proof FROM attempts WHERE message_id = :id ORDER BY number"


def died(fleet: Fleet) -> None:
    until(lambda: fleet.processes["bridge"].poll() is not None, "the bridge has died", every_s=0.01)


def two_people(fleet: Fleet, device_id: int, start: int) -> tuple[int, int, int]:
    """The id of a campaign on one device, and of its messages."""
    with fleet.engine.begin() as db:
        campaign_id = launch_to(db, phones(2, start), device_ids=[device_id]).campaign_id
    first, second = fleet.rows("SELECT id FROM messages WHERE campaign_id = :id ORDER BY id", id=campaign_id)
    return campaign_id, first.id, second.id


def test_the_bridge_dies_at_each_step_of_a_send(make_fleet: Callable[..., Fleet]) -> None:
    """Killed after each commit: what was only written down is sent by a second attempt, what may have gone out is not, and
    what did go out is known by its receipts or by the bridge's ledger."""
    fleet = make_fleet(send_limit_s=1)
    devices = ready(fleet, 2)
    fleet.kill("bridge")
    before, reserved, dispatching = two_people(fleet, devices[0], start=0)
    points = f"bridge_reserved:kill:{reserved}.1,bridge_dispatching:kill:{dispatching}.1"
    fleet.start("bridge", "api", "worker", "dispatcher", failpoint=points)
    died(fleet)
    fleet.start("bridge", failpoint=points)
    died(fleet)
    after, sent, handed_over = two_people(fleet, devices[1], start=2)
    # Any attempt: the first of them may have met a bridge that was not there.
    points = f"bridge_sent:kill:{sent}.*,bridge_handed_over:kill:{handed_over}.*"
    fleet.start("bridge", failpoint=points)
    died(fleet)
    fleet.start("bridge", failpoint=points)
    died(fleet)
    fleet.start("bridge")
    assert (fleet.ended(before), fleet.ended(after)) == ("partial", "completed")
    until(lambda: fleet.counts(before) == {"read": 1, "unknown": 1}, "its receipts are in")
    until(lambda: fleet.counts(after) == {"read": 2}, "its receipts are in, also of what was in doubt")
    assert fleet.rows(ATTEMPTS, id=reserved) == [(1, "not_sent", "closed"), (2, "read", None)]
    for message_id, outcome in ((dispatching, "unknown"), (sent, "read"), (handed_over, "read")):
        assert fleet.rows(ATTEMPTS, id=message_id)[-1].outcome == outcome
    kept(fleet, phones(4))


class Victims:
    """Campaigns to two people each, on a device each: the first one's send is struck by a fault of the network."""

    def __init__(self, fleet: Fleet, proxy: Proxy, devices: list[int]) -> None:
        self._fleet = fleet
        self._proxy = proxy
        self._devices = iter(devices)
        self.people: list[str] = []
        self.campaigns: list[int] = []

    def next(self, fault_of: Callable[[bytes], Fault]) -> int:
        """Launch under the fault that is made for the first one's key as it stands in JSON; the id of that message."""
        own = phones(2, start=len(self.people))
        self.people += own
        with self._fleet.engine.begin() as db:
            self.campaigns.append(launch_to(db, own, device_ids=[next(self._devices)]).campaign_id)
            find = text("SELECT min(id) FROM messages WHERE campaign_id = :id")
            first = int(db.execute(find, {"id": self.campaigns[-1]}).scalar_one())
            self._proxy.set(fault_of(b'"key": "%d.1"' % first))
        return first

    def struck(self, fault_of: Callable[[bytes], Fault]) -> int:
        """A fault that strikes once, and has struck."""
        before = self._proxy.struck
        first = self.next(fault_of)
        until(lambda: self._proxy.struck > before, "its connection was reset", every_s=0.005)
        self._proxy.set(None)
        return first

    def given_up(self, fault_of: Callable[[bytes], Fault]) -> int:
        """A fault under which the worker has waited in vain."""
        first = self.next(fault_of)
        self.in_doubt(first)
        self._proxy.set(None)
        return first

    def in_doubt(self, message_id: int) -> None:
        until(
            lambda: self._fleet.rows(ATTEMPTS, id=message_id) == [(1, "unknown", None)],
            f"message {message_id} has no answer",
        )


def test_requests_and_answers_that_are_lost_late_or_cut(fleet: Fleet, proxy_to: ProxyTo) -> None:
    with sqlite3.connect(fleet.folder / "simulator.db") as ledger:
        # Old enough to prove things also by an answer that was itself held up.
        ledger.execute("CREATE TABLE made (at REAL NOT NULL)")
        ledger.execute("INSERT INTO made VALUES (?)", (time.time() - 3600,))
    ledger.close()
    devices = ready(fleet, 7)
    proxy, through = proxy_to(fleet.bridge_url)
    fleet.start("worker", "dispatcher", bridge_url=through)
    victims = Victims(fleet, proxy, devices)
    # Its own session in the line: what the campaigns before it still send must not be struck in its place.
    own_line = f"/whatsapp/device{len(devices)}/messages HTTP".encode()
    vanished = victims.given_up(lambda _: Fault(black_hole=True))
    answer_late = victims.given_up(lambda _: Fault(to_server=False, latency_s=3.0, one_way=True))
    request_late = victims.next(lambda key: Fault(holds=key))
    again = [(1, "not_sent", "closed"), (2, "sent", None)]
    until(lambda: fleet.rows(ATTEMPTS, id=request_late) == again, "its key was closed, and it went out by the next")
    assert proxy.held == 1
    proxy.set(None)  # so it arrives at last
    answer_lost = victims.struck(lambda key: Fault(to_server=False, at=key, times=proxy.struck + 1))
    reset_after = victims.struck(lambda key: Fault(at=key, after=True, times=proxy.struck + 1))
    body_lost = victims.struck(lambda key: Fault(at=key, times=proxy.struck + 1))
    nothing_arrived = victims.struck(lambda _: Fault(at=own_line, times=proxy.struck + 1))
    for campaign_id in victims.campaigns:
        assert fleet.ended(campaign_id) == "completed"
    until(lambda: proxy.held == 0, "what was late has arrived")
    for message_id in (answer_late, answer_lost, reset_after):  # it had gone out, and was found
        assert fleet.rows(ATTEMPTS, id=message_id) == [(1, "sent", None)]
    for message_id in (request_late, vanished, body_lost, nothing_arrived):
        assert fleet.rows(ATTEMPTS, id=message_id) == again
    kept(fleet, victims.people)


def test_answers_that_come_twice(make_fleet: Callable[..., Fleet], proxy_to: ProxyTo) -> None:
    """The second time while the next message is under way on that connection: a refusal must not be taken for its own."""
    fleet = make_fleet(send_limit_s=1, simulator_receipts="false", simulator_latency_ms=30, worker_threads=2)
    ready(fleet, 3)
    proxy, through = proxy_to(fleet.bridge_url)
    proxy.set(Fault(twice=True, to_server=False))
    fleet.start("worker", "dispatcher", bridge_url=through)
    people = phones(20)
    people[::2] = [f"+97252{n:02}99001" for n in range(10)]
    campaign_id = launched(fleet, people)
    assert fleet.ended(campaign_id) == "partial"
    assert fleet.counts(campaign_id) == {"sent": 10, "failed": 10}
    kept(fleet, people)
