"""Sessions: what their status says, and what stopping and starting them does to sends."""

from datetime import datetime

import pytest
from bridges import Bridge, fresh, text_to
from waiting import until

FIELDS = {
    "connected",
    "can_send",
    "session_age",
    "last_message_ts",
    "qr_required",
    "phone",
    "state",
    "last_error",
    "restricted_until",
}


def test_status_has_the_fields_of_the_contract(bridge: Bridge, session: str) -> None:
    status = bridge.status(session)
    assert set(status) == FIELDS
    assert status["connected"] is True
    assert status["can_send"] is True
    assert status["qr_required"] is False
    assert status["state"] == "open"
    assert status["last_error"] is None
    assert status["restricted_until"] is None
    assert status["session_age"] >= 0
    assert status["phone"].startswith("+")


def test_the_list_has_every_session_with_its_status(bridge: Bridge, session: str) -> None:
    listed = {one.pop("session"): one for one in bridge.get("/whatsapp").json()["sessions"]}
    assert set(listed[session]) == FIELDS


def test_the_bridge_says_which_kind_of_phones_it_serves(bridge: Bridge, request: pytest.FixtureRequest) -> None:
    """By this Fanfare never asks a bridge about phones of another kind."""
    assert bridge.get("/whatsapp").json()["provider"] == request.node.callspec.params["bridge"]


def test_the_last_message_is_told(bridge: Bridge, session: str) -> None:
    assert bridge.status(session)["last_message_ts"] is None
    bridge.send(session, text_to(fresh()))
    moment = datetime.fromisoformat(bridge.status(session)["last_message_ts"])
    assert moment.utcoffset() is not None


def test_sending_status_at_rest(bridge: Bridge, session: str) -> None:
    status = bridge.get(f"/whatsapp/{session}/sending-status").json()
    assert set(status) == {"is_sending", "active_sends", "idle_seconds"}
    assert (status["is_sending"], status["active_sends"]) == (False, 0)
    assert status["idle_seconds"] >= 0


def test_a_disconnected_session_cannot_send_and_uses_up_no_key(bridge: Bridge, session: str) -> None:
    assert bridge.post(f"/whatsapp/{session}/disconnect").status_code == 200
    status = bridge.status(session)
    assert (status["connected"], status["can_send"], status["qr_required"]) == (False, False, False)
    body = text_to(fresh())
    answer = bridge.send(session, body)
    assert (answer.status_code, answer.json()["error"]) == (503, "not_connected")
    assert (answer.json()["outcome"], answer.json()["retryable"]) == ("not_sent", True)
    assert bridge.post(f"/whatsapp/{session}/numbers", {"numbers": []}).status_code == 503
    bridge.post(f"/whatsapp/{session}/start")
    until(lambda: bridge.status(session)["can_send"], "connected again, without a QR code")
    assert bridge.send(session, body).status_code == 200


def test_a_restart_closes_and_opens_again(bridge: Bridge, session: str) -> None:
    answer = bridge.post(f"/whatsapp/{session}/restart")
    assert answer.status_code == 200
    assert answer.json()["can_send"] is False
    until(lambda: bridge.status(session)["can_send"], "open again after a restart")


def test_start_leaves_an_open_session_alone(bridge: Bridge, session: str) -> None:
    assert bridge.post(f"/whatsapp/{session}/start").json()["can_send"] is True


def test_logging_out_forgets_the_pairing(bridge: Bridge, session: str) -> None:
    assert bridge.post(f"/whatsapp/{session}/logout").status_code == 200
    status = bridge.status(session)
    assert (status["connected"], status["can_send"], status["qr_required"]) == (False, False, True)
    assert status["phone"] is None
    assert bridge.send(session, text_to(fresh())).json()["error"] == "logged_out"


def test_an_open_session_shows_no_qr(bridge: Bridge, session: str) -> None:
    answer = bridge.get(f"/whatsapp/{session}/qr")
    assert (answer.status_code, answer.json()["error"]) == (404, "no_qr")


@pytest.mark.parametrize("phone", [None, "", "050", 972501234567])
def test_a_pairing_code_needs_a_number(bridge: Bridge, session: str, phone: object) -> None:
    assert bridge.post(f"/whatsapp/{session}/pairing-code", {"phone": phone}).status_code == 400
