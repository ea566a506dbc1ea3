"""How a phone is linked: by its QR code or by a code that is typed into it, and how the link ends."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import groupby

import pytest
from bridges import Receiver, fresh, text_to
from partner import FakeWhatsApp, LinkedBridge, new_phone
from waiting import until


def states(receiver: Receiver, session: str) -> list[str]:
    """The states that were told, in the order in which they came about."""
    events = sorted(receiver.of(session, "connection"), key=lambda event: str(event["at"]))
    return [state for state, _ in groupby(event["data"]["state"] for event in events)]


def test_a_code_is_scanned(bridge: LinkedBridge, fake: FakeWhatsApp, receiver: Receiver) -> None:
    told = bridge.post("/whatsapp/scanned/start").json()
    assert (told["can_send"], told["connected"]) == (False, False)
    code = bridge.qr("scanned")
    status = bridge.status("scanned")
    assert (status["state"], status["qr_required"], status["phone"]) == ("qr", True, None)
    shown = bridge.get("/whatsapp/scanned/qr").json()
    assert datetime.fromisoformat(shown["expires_at"]) > datetime.now(UTC)
    refused = bridge.send("scanned", text_to(fresh()))
    assert (refused.status_code, refused.json()["error"]) == (503, "qr_required")
    phone = new_phone()
    fake.scan(code, phone)
    bridge.until_able("scanned")
    status = bridge.status("scanned")
    assert (status["state"], status["phone"], status["last_error"]) == ("open", f"+{phone}", None)
    assert bridge.get("/whatsapp/scanned/qr").status_code == 404
    until(lambda: "open" in states(receiver, "scanned"), "told")
    assert states(receiver, "scanned")[-3:] == ["qr", "scanned", "open"]


def test_a_code_is_typed_into_the_phone(bridge: LinkedBridge, fake: FakeWhatsApp) -> None:
    phone = new_phone()
    bridge.post("/whatsapp/typed/start")
    bridge.qr("typed")
    answer = bridge.post("/whatsapp/typed/pairing-code", {"phone": f"+{phone}"})
    assert answer.status_code == 200
    assert len(answer.json()["code"]) == 8
    fake.pair(answer.json()["code"], phone)
    bridge.until_able("typed")
    assert bridge.status("typed")["phone"] == f"+{phone}"
    body = text_to(fresh())
    assert bridge.send("typed", body).status_code == 200
    assert len(fake.received(body["to"])) == 1


def test_there_is_no_code_for_a_phone_that_is_linked(bridge: LinkedBridge, session: str) -> None:
    answer = bridge.post(f"/whatsapp/{session}/pairing-code", {"phone": "+972501234567"})
    assert (answer.status_code, answer.json()["error"]) == (404, "no_qr")


def test_logging_out_unlinks_and_the_next_start_links_anew(
    bridge: LinkedBridge, fake: FakeWhatsApp, session: str
) -> None:
    phone = bridge.phones[session]
    identity = fake.devices()[phone]["identity"]
    assert bridge.post(f"/whatsapp/{session}/logout").status_code == 200
    bridge.post(f"/whatsapp/{session}/start")
    fake.scan(bridge.qr(session), phone)
    bridge.until_able(session)
    assert fake.devices()[phone]["identity"] != identity
    assert bridge.send(session, text_to(fresh())).status_code == 200


def test_a_disconnected_session_keeps_its_link(bridge: LinkedBridge, fake: FakeWhatsApp, session: str) -> None:
    before = fake.devices()[bridge.phones[session]]
    bridge.post(f"/whatsapp/{session}/disconnect")
    until(lambda: not fake.devices()[bridge.phones[session]]["connected"], "it has hung up")
    bridge.post(f"/whatsapp/{session}/start")
    bridge.until_able(session)
    after = fake.devices()[bridge.phones[session]]
    assert (after["identity"], after["logins"]) == (before["identity"], before["logins"] + 1)


@pytest.mark.parametrize("action", ["restart", "disconnect", "logout"])
def test_nothing_interrupts_a_send(bridge: LinkedBridge, fake: FakeWhatsApp, session: str, action: str) -> None:
    body = text_to(fresh(), deadline_s=0.8)
    fake.behave(phone=body["to"].partition("@")[0], ack="none", receipts=[])
    with bridge.under_way(session, body) as answer:
        refused = bridge.post(f"/whatsapp/{session}/{action}")
        assert (refused.status_code, refused.json()) == (409, {"error": "sending"})
        assert bridge.get(f"/whatsapp/{session}/sending-status").json()["active_sends"] == 1
        assert bridge.status(session)["connected"] is True
    assert answer.result().status_code == 504
    assert bridge.post(f"/whatsapp/{session}/{action}").status_code == 200
