"""SIGKILL at any moment: what was answered is in the ledger, and so is everything that anyone was handed."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from bridges import Bridge, Receiver, fresh, simulator, text_to
from waiting import until

pytestmark = pytest.mark.simulator_only

SENDERS = 12
CUT_OFF = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)  # before an answer, or in one


def test_killed_in_a_burst(tmp_path: Path, receiver: Receiver) -> None:
    """Twelve sessions send as fast as they can; the process is killed; the file must agree with every answer given."""
    with simulator(tmp_path, SENDERS, **receiver.settings) as running:
        bridge = running.bridge
        sessions = [bridge.new_session() for _ in range(SENDERS)]
        posted: dict[str, str] = {}
        answered: dict[str, dict[str, Any]] = {}
        killed = threading.Event()

        def burst(session: str) -> None:
            while not killed.is_set():
                body = text_to(fresh())
                posted[body["key"]] = body["to"]
                try:
                    answered[body["key"]] = bridge.send(session, body).json()
                except CUT_OFF:
                    assert killed.wait(5)

        with ThreadPoolExecutor(SENDERS) as pool:
            bursts = [pool.submit(burst, session) for session in sessions]
            until(lambda: len(answered) > 300, "a burst under way")
            running.kill()
            killed.set()
            for each in bursts:
                each.result()

        running.start()
        bridge = running.bridge
        assert len(answered) < len(posted)
        ledger = bridge.get("/ledger").json()["people"]
        times = {delivery["key"]: one["times"] for one in ledger for delivery in one["deliveries"]}
        for key, answer in answered.items():
            found = bridge.key("any", key).json()
            assert (found["state"], found["message_id"]) == ("sent", answer["message_id"])
            assert times[key] == 1
        for key in posted.keys() - answered.keys():
            state = bridge.state("any", key)
            assert state in ("absent", "reserved", "dispatching", "sent")
            if state == "sent":
                assert times[key] == 1
            if state in ("absent", "reserved"):
                assert key not in times
        assert set(times) <= set(posted)
        until(lambda: all(set(receiver.receipts(key)) == {"delivered", "read"} for key in times), "every receipt")
        assert bridge.get("/ledger/overlaps").json() == []


def test_every_state_is_the_same_after_a_kill(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    with simulator(tmp_path, 2) as running:
        bridge = running.bridge
        session, hanging = bridge.new_session(), bridge.new_session()
        reserved, dispatching = text_to(fresh("99003")), text_to(fresh("99012"))
        sent, failed, closed = text_to(fresh()), text_to(fresh("99001")), text_to(fresh())
        first = bridge.send(session, sent).json()
        refusal = bridge.send(session, failed).json()
        bridge.close(session, closed["key"])
        calls = [pool.submit(bridge.send, hanging, body) for body in (reserved, dispatching)]
        until(lambda: bridge.state(hanging, dispatching["key"]) == "dispatching", "one is dispatching")
        until(lambda: bridge.state(hanging, reserved["key"]) == "reserved", "one is reserved")
        for body in (reserved, dispatching):
            assert bridge.send(hanging, body).json() == {"error": "in_flight"}
        before = {key: found(bridge, key) for key in (sent["key"], failed["key"], closed["key"])}
        running.kill()
        for call in calls:
            assert isinstance(call.exception(), requests.ConnectionError)

        running.start()
        bridge = running.bridge
        assert {key: found(bridge, key) for key in before} == before
        assert bridge.state(hanging, reserved["key"]) == "reserved"
        assert bridge.state(hanging, dispatching["key"]) == "dispatching"
        until(lambda: bridge.status(hanging)["can_send"] and bridge.status(session)["can_send"], "sessions are back")
        assert bridge.send(session, sent).json() == first | {"duplicate": True}
        assert bridge.send(session, failed).json() == refusal
        assert bridge.send(session, closed).json() == {"error": "key_closed"}
        lost = bridge.send(hanging, dispatching)
        assert (lost.status_code, lost.json()["error"], lost.json()["outcome"]) == (504, "send_timeout", "unknown")
        assert bridge.close(hanging, dispatching["key"]).json()["state"] == "dispatching"
        assert bridge.close(hanging, reserved["key"]).json()["state"] == "closed"
        assert bridge.received(reserved["to"]) == bridge.received(dispatching["to"]) == []


def test_a_reserved_key_can_be_posted_again(bridge: Bridge, session: str) -> None:
    body = text_to(fresh())
    bridge.post(f"/simulator/sessions/{session}/behaviour", {"behaviour": "timeout_before"})
    with pytest.raises(requests.ReadTimeout):
        bridge.send(session, body, timeout_s=0.2)
    bridge.post(f"/simulator/sessions/{session}/behaviour", {"behaviour": None})
    until(lambda: bridge.send(session, body).status_code == 200, "sent at last")
    assert len(bridge.received(body["to"])) == 1


def test_closed_while_it_hangs(bridge: Bridge, session: str, pool: ThreadPoolExecutor) -> None:
    """A worker frozen in its call, recovered meanwhile: its message must not go out."""
    body = text_to(fresh("99003"))
    call = pool.submit(bridge.send, session, body, 0.6)
    until(lambda: bridge.state(session, body["key"]) == "reserved", "reserved")
    assert bridge.close(session, body["key"]).json()["state"] == "closed"
    assert isinstance(call.exception(), requests.ReadTimeout)
    assert bridge.send(session, body).json() == {"error": "key_closed"}
    assert bridge.received(body["to"]) == []


def test_sessions_come_back_as_they_were(tmp_path: Path) -> None:
    with simulator(tmp_path) as running:
        bridge = running.bridge
        names = ["works", "away", "gone", "waits-qr"]
        for name in names:
            bridge.post(f"/whatsapp/{name}/start")
        until(lambda: all(bridge.status(name)["can_send"] for name in names[:3]), "three can send")
        bridge.send("works", text_to(fresh()))
        bridge.post("/whatsapp/away/disconnect")
        bridge.post("/whatsapp/gone/logout")
        before = bridge.status("works")
        running.kill()
        running.start()
        bridge = running.bridge
        assert bridge.status("works")["state"] == "starting"
        assert bridge.status("works")["qr_required"] is False
        until(lambda: bridge.status("works")["can_send"], "connected by itself")
        after = bridge.status("works")
        assert (after["phone"], after["last_message_ts"]) == (before["phone"], before["last_message_ts"])
        assert bridge.status("away")["state"] == "closed"
        assert bridge.status("gone")["state"] == "logged_out"
        until(lambda: bridge.status("waits-qr")["state"] == "qr", "still waits for its scan")


def test_a_new_file_says_that_it_is_new(tmp_path: Path) -> None:
    """A wiped ledger proves nothing, and says so by its date."""
    with simulator(tmp_path / "one") as running:
        since = running.bridge.key("any", "x.1").json()["ledger_since"]
        running.kill()
        running.start()
        assert running.bridge.key("any", "x.1").json()["ledger_since"] == since
    with simulator(tmp_path / "two") as running:
        assert running.bridge.key("any", "x.1").json()["ledger_since"] > since


def found(bridge: Bridge, key: str) -> Any:
    return bridge.key("any", key).json()
