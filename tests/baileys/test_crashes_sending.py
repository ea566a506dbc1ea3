"""The sidecar dies in mid-send: nothing is lost, nothing goes out twice, and what is in doubt is settled by receipts."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from bridges import Receiver, fresh, text_to
from locks import held
from partner import FakeWhatsApp, Sidecar, digits
from waiting import until

STATE = "SELECT state FROM baileys.sends WHERE key = %s FOR UPDATE"


def test_killed_after_the_ack_and_before_the_ledger(
    own: Sidecar, fake: FakeWhatsApp, receiver: Receiver, empty_database: str, pool: ThreadPoolExecutor
) -> None:
    body = text_to(fresh())
    own.bridge.link("desk")
    fake.behave(phone=digits(body["to"]), ack_after_ms=800, receipt_after_ms=1500)
    call = pool.submit(own.bridge.send, "desk", body)
    until(lambda: own.bridge.state("desk", body["key"]) == "dispatching", "it is being handed over")
    with held(empty_database, STATE, body["key"]) as row:
        until(row.waiting, "the ack is there, and cannot be written down")
        own.kill()
        row.refuse()
        assert row.ask(STATE, body["key"]) == "dispatching"
    assert isinstance(call.exception(), requests.ConnectionError)
    own.start()
    until(lambda: own.bridge.state("desk", body["key"]) == "sent", "settled by the receipt that waited")
    until(lambda: {"delivered", "read"} <= set(receiver.receipts(body["key"])), "its receipts are told")
    again = own.bridge.send("desk", body)
    assert (again.status_code, again.json()["duplicate"]) == (200, True)
    assert [one["text"] for one in fake.received(body["to"])] == [body["text"]]


def test_killed_before_a_byte_left(own: Sidecar, fake: FakeWhatsApp, pool: ThreadPoolExecutor) -> None:
    """It may have gone out, for all that the ledger knows: nobody sends it again."""
    body = text_to(fresh())
    own.bridge.link("desk")
    own.stop()
    own.start(FAILPOINT=f"bridge_dispatching:kill:{body['key']}")
    own.bridge.until_able("desk")
    call = pool.submit(own.bridge.send, "desk", body)
    own.killed()
    assert isinstance(call.exception(), requests.ConnectionError)
    own.start(FAILPOINT="")
    own.bridge.until_able("desk")
    answer = own.bridge.send("desk", body)
    assert (answer.status_code, answer.json()["outcome"]) == (504, "unknown")
    assert own.bridge.close("desk", body["key"]).json()["state"] == "dispatching"
    assert own.bridge.send("desk", text_to(body["to"])).status_code == 200
    assert len(fake.received(body["to"])) == 1


def test_killed_between_dispatch_and_ack(
    own: Sidecar, fake: FakeWhatsApp, receiver: Receiver, pool: ThreadPoolExecutor
) -> None:
    body = text_to(fresh())
    own.bridge.link("desk")
    fake.behave(phone=digits(body["to"]), ack="none", receipts=["delivered"], receipt_after_ms=500)
    call = pool.submit(own.bridge.send, "desk", body)
    until(lambda: fake.received(body["to"]), "the person has it")
    own.kill()
    assert isinstance(call.exception(), requests.ConnectionError)
    own.start()
    own.bridge.until_able("desk")
    until(lambda: own.bridge.state("desk", body["key"]) == "sent", "settled by the receipt")
    until(lambda: "delivered" in receiver.receipts(body["key"]), "it is told")
    assert len(fake.received(body["to"])) == 1


@pytest.mark.parametrize("place", ["bridge_dispatching", "bridge_handed_over"])
def test_the_ratchet_is_never_turned_back(
    own: Sidecar, fake: FakeWhatsApp, place: str, pool: ThreadPoolExecutor
) -> None:
    """What was used for a message that may be gone is not used for the next: the person could not read it."""
    to = fresh()
    phone = own.bridge.link("desk")
    for _ in range(2):
        assert own.bridge.send("desk", text_to(to)).status_code == 200
    for _ in range(3):
        body = text_to(to)
        own.stop()
        own.start(FAILPOINT=f"{place}:kill:{body['key']}")
        own.bridge.until_able("desk")
        call = pool.submit(own.bridge.send, "desk", body)
        own.killed()
        assert call.exception()
        own.start(FAILPOINT="")
        own.bridge.until_able("desk")
        assert own.bridge.send("desk", text_to(to)).status_code == 200
    assert fake.devices()[phone]["unreadable"] == []
    texts = [one["text"] for one in fake.received(to)]
    assert len(texts) == len(set(texts)) == (8 if place == "bridge_handed_over" else 5)


def test_a_phone_that_asks_again_after_a_restart(own: Sidecar, fake: FakeWhatsApp, receiver: Receiver) -> None:
    """The message is kept, so that a phone which could not read it can be given it by the process that comes after."""
    body = text_to(fresh())
    own.bridge.link("desk")
    fake.behave(phone=digits(body["to"]), retry=1, receipts=["delivered"], receipt_after_ms=1500)
    assert own.bridge.send("desk", body).status_code == 200
    own.kill()
    assert fake.received(body["to"]) == []
    own.start()
    (got,) = until(lambda: fake.received(body["to"]), "readable at last")
    assert got["text"] == body["text"]
    until(lambda: "delivered" in receiver.receipts(body["key"]), "delivered")
    assert len(fake.received(body["to"])) == 1


def test_sigterm_lets_a_send_end(own: Sidecar, fake: FakeWhatsApp, pool: ThreadPoolExecutor) -> None:
    body = text_to(fresh())
    own.bridge.link("desk")
    fake.behave(phone=digits(body["to"]), ack_after_ms=1000)
    with own.bridge.under_way("desk", body) as answer:
        assert own.stop() == 0
        assert answer.result().status_code == 200
    own.start()
    assert own.bridge.state("desk", body["key"]) == "sent"


def test_a_burst_over_ten_sessions_is_killed_and_every_answer_holds(
    start_sidecar: Callable[..., Sidecar], fake: FakeWhatsApp, receiver: Receiver
) -> None:
    own = start_sidecar()
    sessions = [f"burst{number}" for number in range(10)]
    own.bridge.make_ready(sessions)
    bodies = {session: [text_to(fresh()) for _ in range(20)] for session in sessions}
    answered: list[str] = []

    def burst(session: str) -> None:
        for body in bodies[session]:
            try:
                assert own.bridge.send(session, body).status_code == 200
            except requests.ConnectionError:
                return
            answered.append(body["key"])

    with ThreadPoolExecutor(len(sessions)) as threads:
        bursts = [threads.submit(burst, session) for session in sessions]
        until(lambda: len(answered) >= 60, "under way")
        own.kill()
        for each in bursts:
            each.result()
    own.start()
    own.bridge.until_able(*sessions, within_s=60)
    everybody = [body for each in bodies.values() for body in each]
    assert len(answered) < len(everybody)
    times = fake.times_received()
    for body in everybody:
        if body["key"] in answered:
            assert own.bridge.state("any", body["key"]) == "sent"
            assert times[digits(body["to"])] == 1
    keys = [body["key"] for body in everybody if digits(body["to"]) in times]
    until(lambda: {own.bridge.state("any", key) for key in keys} == {"sent"}, "all that arrived is settled")
    until(lambda: [key for key in keys if "read" not in receiver.receipts(key)] == [], "all of it is read")
    for session, each in bodies.items():
        for body in each:
            if own.bridge.state(session, body["key"]) in ("absent", "reserved"):
                assert digits(body["to"]) not in times
                assert own.bridge.send(session, body).status_code == 200
    times = fake.times_received()
    assert all(times.get(digits(body["to"]), 0) <= 1 for body in everybody)
