"""What becomes of a session when WhatsApp closes its connection, by every code that it gives."""

from __future__ import annotations

from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from bridges import fresh, text_to
from partner import FakeWhatsApp, LinkedBridge, Sidecar
from waiting import until


def logins(fake: FakeWhatsApp, bridge: LinkedBridge, session: str) -> int:
    return int(fake.devices()[bridge.phones[session]]["logins"])


@pytest.mark.parametrize(
    ("code", "how"),
    [(408, "drop"), (428, "drop"), (500, "stream"), (503, "stream"), (503, "failure"), (515, "stream")],
)
def test_it_comes_back_by_itself(bridge: LinkedBridge, fake: FakeWhatsApp, session: str, code: int, how: str) -> None:
    phone = bridge.phones[session]
    before = fake.devices()[phone]
    fake.close(phone, code, how)
    until(lambda: fake.devices()[phone]["logins"] == before["logins"] + 1, "it has logged in again")
    bridge.until_able(session)
    assert fake.devices()[phone]["identity"] == before["identity"]
    assert bridge.status(session)["last_error"] is None
    assert bridge.send(session, text_to(fresh())).status_code == 200


@pytest.mark.parametrize(
    ("code", "how", "state", "error"),
    [
        (401, "stream", "logged_out", "logged_out"),
        (401, "failure", "logged_out", "logged_out"),
        (403, "stream", "banned", "banned"),
        (403, "failure", "banned", "banned"),
    ],
)
def test_it_is_over(
    bridge: LinkedBridge, fake: FakeWhatsApp, session: str, code: int, how: str, state: str, error: str
) -> None:
    body = text_to(fresh())
    fake.close(bridge.phones[session], code, how)
    until(lambda: bridge.status(session)["state"] == state, state)
    status = bridge.status(session)
    assert (status["connected"], status["can_send"], status["last_error"]) == (False, False, error)
    answer = bridge.send(session, body)
    assert (answer.status_code, answer.json()["error"], answer.json()["outcome"]) == (503, error, "not_sent")
    assert bridge.state(session, body["key"]) == "absent"
    assert bridge.get(f"/whatsapp/{session}/qr").status_code == 404  # a code comes when somebody asks for it


def test_logged_out_on_the_phone_it_is_linked_anew_by_a_start(
    bridge: LinkedBridge, fake: FakeWhatsApp, session: str
) -> None:
    phone = bridge.phones[session]
    fake.close(phone, 401)
    until(lambda: bridge.status(session)["state"] == "logged_out", "logged out")
    assert (bridge.status(session)["qr_required"], bridge.status(session)["phone"]) == (True, None)
    bridge.post(f"/whatsapp/{session}/start")
    fake.scan(bridge.qr(session), phone)
    bridge.until_able(session)


def test_a_session_that_was_replaced_does_not_fight(bridge: LinkedBridge, fake: FakeWhatsApp, session: str) -> None:
    other = bridge.new_session()
    before = logins(fake, bridge, session)
    fake.close(bridge.phones[session], 440)
    until(lambda: bridge.status(session)["state"] == "closed", "it rests")
    status = bridge.status(session)
    assert (status["last_error"], status["qr_required"], status["can_send"]) == ("replaced", False, False)
    assert bridge.send(session, text_to(fresh())).json()["error"] == "not_connected"
    for _ in range(2):  # meanwhile another one comes back twice
        rounds = logins(fake, bridge, other)
        fake.close(bridge.phones[other], 428, "drop")
        until(lambda rounds=rounds: logins(fake, bridge, other) > rounds, "the other one is back")  # type: ignore[misc]
        bridge.until_able(other)
    assert logins(fake, bridge, session) == before
    bridge.post(f"/whatsapp/{session}/start")
    bridge.until_able(session)
    assert logins(fake, bridge, session) == before + 1


def test_a_version_that_is_too_old_names_the_setting(bridge: LinkedBridge, fake: FakeWhatsApp, session: str) -> None:
    phone = bridge.phones[session]
    before = fake.devices()[phone]
    fake.close(phone, 405, "failure", next=True)
    fake.close(phone, 428, "drop")
    until(lambda: "BAILEYS_WA_VERSION" in (bridge.status(session)["last_error"] or ""), "it says what to do")
    status = bridge.status(session)
    assert (status["state"], status["can_send"], status["qr_required"]) == ("closed", False, False)
    bridge.post(f"/whatsapp/{session}/start")
    bridge.until_able(session)
    assert fake.devices()[phone]["identity"] == before["identity"]


def test_a_401_right_after_a_515_is_not_believed_at_once(
    bridge: LinkedBridge, fake: FakeWhatsApp, session: str
) -> None:
    phone = bridge.phones[session]
    before = fake.devices()[phone]
    fake.close(phone, 401, "failure", next=True)
    fake.close(phone, 515)
    until(lambda: fake.devices()[phone]["logins"] == before["logins"] + 1, "it has asked once more")
    bridge.until_able(session)
    assert fake.devices()[phone]["identity"] == before["identity"]


class _Unwell(BaseHTTPRequestHandler):
    """What stands before WhatsApp, when it is unwell: it answers by HTTP, and keeps the connection."""

    protocol_version = "HTTP/1.1"
    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        self.send_response(HTTPStatus.FORBIDDEN)  # not what 403 means in WhatsApp's own protocol
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_an_http_answer_says_nothing_of_the_pairing(own: Sidecar, fake: FakeWhatsApp) -> None:
    phone = own.bridge.link("desk")
    identity = fake.devices()[phone]["identity"]
    with ThreadingHTTPServer(("127.0.0.1", 0), _Unwell) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        own.stop()
        own.start(BAILEYS_TEST_URL=f"ws://127.0.0.1:{server.server_port}/ws/chat")
        until(lambda: _Unwell.asked >= 2, "it tries again", within_s=12)
        assert own.bridge.status("desk")["state"] == "starting"
        server.shutdown()
    own.stop()
    own.start(BAILEYS_TEST_URL=fake.settings["BAILEYS_TEST_URL"])
    own.bridge.until_able("desk")
    assert fake.devices()[phone]["identity"] == identity
