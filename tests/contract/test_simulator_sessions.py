"""The simulated phones: pairing, the QR code, restarts while sending, and behaviours set by hand."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
import requests
from bridges import Bridge, Receiver, fresh, text_to
from waiting import until

from bridge.simulator.behaviours import draw

pytestmark = pytest.mark.simulator_only


def states(receiver: Receiver, session: str) -> list[str]:
    return [event["data"]["state"] for event in receiver.of(session, "connection")]


def qr(bridge: Bridge, session: str) -> dict[str, Any]:
    """The QR code, once it is on show."""
    found = until(lambda: (a := bridge.get(f"/whatsapp/{session}/qr")).status_code == 200 and a.json(), "a QR code")
    return dict(found)


@pytest.fixture(scope="module", autouse=True)
def first_code(bridge: Bridge) -> dict[str, Any]:
    """The first QR code of a session that waits: shown before the other tests here, so that none waits for its renewal."""
    bridge.post("/whatsapp/desk-qr/start")
    return qr(bridge, "desk-qr")


def rule(bridge: Bridge, session: str, behaviour: str | None, share: float = 1) -> None:
    answer = bridge.post(f"/simulator/sessions/{session}/behaviour", {"behaviour": behaviour, "share": share})
    assert answer.status_code == 200


def test_a_phone_pairs_by_itself(bridge: Bridge, receiver: Receiver) -> None:
    status = bridge.post("/whatsapp/pairs/start").json()
    assert (status["state"], status["can_send"]) == ("starting", False)
    until(lambda: bridge.status("pairs")["can_send"], "paired")
    until(lambda: len(states(receiver, "pairs")) == 4, "every change told")
    assert sorted(states(receiver, "pairs")) == sorted(["starting", "qr", "scanned", "open"])


def test_a_paired_phone_needs_no_qr(bridge: Bridge, receiver: Receiver, session: str) -> None:
    bridge.post(f"/whatsapp/{session}/restart")
    until(lambda: bridge.status(session)["can_send"], "open again")
    until(lambda: states(receiver, session).count("open") == 2, "told")
    assert states(receiver, session).count("qr") == 1


def test_a_pairing_code_pairs_with_that_number(bridge: Bridge) -> None:
    bridge.post("/whatsapp/code-qr/start")
    qr(bridge, "code-qr")
    answer = bridge.post("/whatsapp/code-qr/pairing-code", {"phone": "+972501112223"})
    assert len(answer.json()["code"]) == 8
    until(lambda: bridge.status("code-qr")["can_send"], "paired by code")
    assert bridge.status("code-qr")["phone"] == "+972501112223"


@pytest.mark.parametrize("action", ["restart", "disconnect", "logout"])
def test_nothing_interrupts_a_send(bridge: Bridge, session: str, pool: ThreadPoolExecutor, action: str) -> None:
    send = pool.submit(bridge.send, session, text_to(fresh("99012"), deadline_s=1))
    until(lambda: bridge.get(f"/whatsapp/{session}/sending-status").json()["is_sending"], "the send is under way")
    answer = bridge.post(f"/whatsapp/{session}/{action}")
    assert (answer.status_code, answer.json()) == (409, {"error": "sending"})
    assert bridge.get(f"/whatsapp/{session}/sending-status").json()["active_sends"] == 1
    assert send.result().status_code == 200
    assert bridge.post(f"/whatsapp/{session}/{action}").status_code == 200


def test_two_sends_at_once_on_one_session_are_seen(bridge: Bridge, session: str, pool: ThreadPoolExecutor) -> None:
    def overlaps() -> list[set[str]]:
        pairs = bridge.get("/ledger/overlaps").json()
        return [{one["key"], other["key"]} for one, other in pairs if one["session"] == other["session"] == session]

    for _ in range(3):
        bridge.send(session, text_to(fresh()))
    assert overlaps() == []
    bodies = [text_to(fresh("99012"), deadline_s=1) for _ in range(2)]
    for answer in pool.map(lambda body: bridge.send(session, body), bodies):
        assert answer.status_code == 200
    assert overlaps() == [{body["key"] for body in bodies}]


def test_a_duplicate_is_seen_not_hidden(bridge: Bridge, session: str) -> None:
    to = fresh()
    keys = [bridge.send(session, text_to(to)).json()["key"] for _ in range(2)]
    ledger = bridge.get(f"/ledger?to={to}").json()
    assert (ledger["total"], ledger["people"][0]["to"], ledger["people"][0]["times"]) == (2, to, 2)
    assert [delivery["key"] for delivery in ledger["people"][0]["deliveries"]] == keys
    everyone = bridge.get("/ledger").json()
    assert sum(one["times"] for one in everyone["people"]) == everyone["total"] > 2


@pytest.mark.parametrize(
    ("behaviour", "status", "error"),
    [
        ("throttled", 429, "throttled"),
        ("error_before", 500, "internal"),
        ("error_after", 500, "internal"),
        ("timeout_after", 504, "send_timeout"),
        ("restricted", 503, "restricted"),
        ("logged_out", 503, "logged_out"),
        ("banned", 503, "banned"),
        ("not_connected", 503, "not_connected"),
        ("qr_required", 503, "qr_required"),
    ],
)
def test_a_behaviour_of_a_session(bridge: Bridge, session: str, behaviour: str, status: int, error: str) -> None:
    rule(bridge, session, behaviour)
    other = bridge.new_session()
    assert bridge.send(other, text_to(fresh())).status_code == 200
    answer = bridge.send(session, text_to(fresh(), deadline_s=0.3))
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert bridge.status(session)["can_send"] == (status != 503)


def test_a_behaviour_that_is_lifted(bridge: Bridge, session: str) -> None:
    rule(bridge, session, "banned")
    bridge.send(session, text_to(fresh()))
    rule(bridge, session, None)
    bridge.post(f"/whatsapp/{session}/start")
    until(lambda: bridge.status(session)["can_send"], "able to send again")
    assert bridge.send(session, text_to(fresh())).status_code == 200


def test_a_session_that_another_computer_has_taken_over_waits_to_be_started(bridge: Bridge, session: str) -> None:
    rule(bridge, session, "replaced")
    assert bridge.send(session, text_to(fresh())).json()["error"] == "not_connected"
    status = bridge.status(session)
    assert (status["state"], status["last_error"], status["qr_required"]) == ("closed", "replaced", False)
    rule(bridge, session, None)
    bridge.post(f"/whatsapp/{session}/start")
    until(lambda: bridge.status(session)["can_send"], "able to send again")


def test_silent_and_slow_sessions(bridge: Bridge, session: str) -> None:
    rule(bridge, session, "timeout_before")
    with pytest.raises(requests.ReadTimeout):
        bridge.send(session, text_to(fresh()), timeout_s=0.3)
    rule(bridge, session, "answer_lost")
    with pytest.raises(requests.ConnectionError):
        bridge.send(session, text_to(fresh()))
    rule(bridge, session, "slow")
    assert bridge.send(session, text_to(fresh(), deadline_s=1)).json()["duration_ms"] > 400


def test_a_share_takes_the_same_keys_each_time(bridge: Bridge, session: str) -> None:
    rule(bridge, session, "error_before", 0.5)
    keys = [f"share-{number}" for number in range(60)]
    failed = {key for key in keys if bridge.send(session, text_to(fresh(), key)).status_code == 500}
    assert failed == {key for key in keys if draw(key) < 0.5}
    assert 15 < len(failed) < 45


def test_several_behaviours_share_the_keys(bridge: Bridge, session: str) -> None:
    shares = {"error_before": 0.3, "throttled": 0.3}
    assert bridge.post(f"/simulator/sessions/{session}/behaviour", {"shares": shares}).status_code == 200
    keys = [f"shares-{number}" for number in range(60)]
    answers = {key: bridge.send(session, text_to(fresh(), key)).status_code for key in keys}
    assert answers == {key: 500 if draw(key) < 0.3 else 429 if draw(key) < 0.6 else 200 for key in keys}


def test_a_behaviour_of_all_sessions(bridge: Bridge, session: str) -> None:
    own = bridge.new_session()
    rule(bridge, own, "throttled")
    try:
        assert bridge.post("/simulator/behaviour", {"behaviour": "error_before"}).status_code == 200
        assert bridge.send(session, text_to(fresh())).status_code == 500
        assert bridge.send(own, text_to(fresh())).status_code == 429
    finally:
        bridge.post("/simulator/behaviour", {"behaviour": None})
    assert bridge.send(session, text_to(fresh())).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        *({"behaviour": "nonsense"}, {"behaviour": "replies"}, {"behaviour": 3}, {"behaviour": "slow", "share": 2}),
        *({"shares": 1}, {"shares": {"replies": 0.1}}, {"shares": {"slow": 0.6, "throttled": 0.6}}),
    ],
)
def test_a_behaviour_that_sessions_do_not_have(bridge: Bridge, session: str, wrong: dict[str, Any]) -> None:
    assert bridge.post(f"/simulator/sessions/{session}/behaviour", wrong).status_code == 400
    assert bridge.post("/simulator/sessions/nobody/behaviour", wrong).status_code == 404


def test_the_qr_code_waits_is_renewed_and_is_scanned(bridge: Bridge, first_code: dict[str, Any]) -> None:
    status = bridge.status("desk-qr")
    assert (status["state"], status["qr_required"], status["can_send"]) == ("qr", True, False)
    answer = bridge.send("desk-qr", text_to(fresh()))
    assert (answer.status_code, answer.json()["error"], answer.json()["outcome"]) == (503, "qr_required", "not_sent")
    second = until(lambda: (code := qr(bridge, "desk-qr"))["qr"] != first_code["qr"] and code, "a new code")
    assert datetime.fromisoformat(second["expires_at"]) > datetime.fromisoformat(first_code["expires_at"])
    assert bridge.post("/simulator/sessions/desk-qr/scan").json()["state"] == "scanned"
    until(lambda: bridge.status("desk-qr")["can_send"], "open after the scan")
    assert bridge.get("/whatsapp/desk-qr/qr").status_code == 404
    assert bridge.post("/simulator/sessions/desk-qr/scan").status_code == 404
