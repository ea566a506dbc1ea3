"""What people's phones could read, and what the ledger and the events say of it."""

from __future__ import annotations

import base64
import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import pytest
from bridges import Receiver, fresh, text_to
from partner import FakeWhatsApp, LinkedBridge, digits
from waiting import until

UNKNOWN = (504, "send_timeout", "unknown")


def problem(answer: Any) -> tuple[int, str, str]:
    return answer.status_code, answer.json()["error"], answer.json()["outcome"]


def test_a_text_arrives_as_it_was_written(bridge: LinkedBridge, fake: FakeWhatsApp, session: str) -> None:
    body = text_to(fresh(), text="שלום *everybody* 👋\n\nhttps://example.com/never-fetched")
    answer = bridge.send(session, body).json()
    (got,) = fake.received(body["to"])
    assert (got["text"], got["kind"], got["decrypted"]) == (body["text"], "text", True)
    assert (got["message_id"], got["session_phone"]) == (answer["message_id"], bridge.phones[session])


@pytest.mark.parametrize(
    ("kind", "mimetype"),
    [("image", "image/jpeg"), ("video", "video/mp4"), ("audio", "audio/mpeg"), ("document", "application/pdf")],
)
def test_media_arrive_byte_by_byte(
    bridge: LinkedBridge, fake: FakeWhatsApp, session: str, kind: str, mimetype: str
) -> None:
    content = Random(kind).randbytes(300_001)
    media = {"data": base64.b64encode(content).decode(), "mimetype": mimetype, "filename": "Prices, 2026.pdf"}
    body = text_to(fresh(), kind=kind, text="Our prices", media=media)
    assert bridge.send(session, body).status_code == 200
    (got,) = fake.received(body["to"])
    assert (got["kind"], got["media_sha256"]) == (kind, hashlib.sha256(content).hexdigest())
    if kind != "audio":  # which has no caption
        assert got["text"] == "Our prices"


def test_what_whatsapp_refuses_was_not_sent(bridge: LinkedBridge, fake: FakeWhatsApp, session: str) -> None:
    body = text_to(fresh())
    fake.behave(phone=digits(body["to"]), ack="error", ack_error=479)
    answer = bridge.send(session, body)
    assert problem(answer) == (502, "provider_error", "not_sent")
    assert bridge.key(session, body["key"]).json()["error"] == "provider_error"
    assert bridge.state(session, body["key"]) == "failed"
    assert bridge.send(session, body).json() == answer.json()
    assert bridge.status(session)["can_send"] is True


def test_a_restricted_account_is_parked(bridge: LinkedBridge, fake: FakeWhatsApp, session: str) -> None:
    body = text_to(fresh())
    fake.behave(phone=digits(body["to"]), ack="error", ack_error=463)
    assert problem(bridge.send(session, body)) == (503, "restricted", "not_sent")
    status = bridge.status(session)
    assert (status["connected"], status["can_send"], status["last_error"]) == (True, False, "restricted")
    assert status["restricted_until"]
    other = text_to(fresh())
    assert problem(bridge.send(session, other)) == (503, "restricted", "not_sent")
    assert fake.received(other["to"]) == []
    assert bridge.close(session, body["key"]).json()["state"] == "closed"


def test_without_an_ack_it_is_in_doubt_in_time(bridge: LinkedBridge, fake: FakeWhatsApp, session: str) -> None:
    body = text_to(fresh(), deadline_s=1)
    fake.behave(phone=digits(body["to"]), ack="none", receipts=[])
    begin = time.monotonic()
    answer = bridge.send(session, body)
    assert time.monotonic() - begin < 3
    assert problem(answer) == UNKNOWN
    assert bridge.state(session, body["key"]) == "dispatching"
    assert problem(bridge.send(session, body)) == UNKNOWN
    assert bridge.close(session, body["key"]).json()["state"] == "dispatching"
    assert len(fake.received(body["to"])) == 1


def test_a_late_ack_settles_it_and_tells(
    bridge: LinkedBridge, fake: FakeWhatsApp, receiver: Receiver, session: str
) -> None:
    body = text_to(fresh(), deadline_s=0.5)
    fake.behave(phone=digits(body["to"]), ack="late", ack_after_ms=1500, receipts=[])
    assert problem(bridge.send(session, body)) == UNKNOWN
    until(lambda: receiver.receipts(body["key"]), "the late ack is told")
    assert receiver.receipts(body["key"]) == ["sent"]
    assert bridge.state(session, body["key"]) == "sent"
    again = bridge.send(session, body)
    assert (again.status_code, again.json()["duplicate"]) == (200, True)
    assert len(fake.received(body["to"])) == 1


def test_a_receipt_settles_what_had_no_ack(
    bridge: LinkedBridge, fake: FakeWhatsApp, receiver: Receiver, session: str
) -> None:
    body = text_to(fresh(), deadline_s=0.5)
    fake.behave(phone=digits(body["to"]), ack="none", receipts=["delivered"], receipt_after_ms=1200)
    assert problem(bridge.send(session, body)) == UNKNOWN
    until(lambda: "delivered" in receiver.receipts(body["key"]), "its receipt")
    assert bridge.state(session, body["key"]) == "sent"


@pytest.mark.parametrize("drop", ["before", "after_receive"])
def test_a_socket_that_breaks_under_a_send(
    bridge: LinkedBridge, fake: FakeWhatsApp, receiver: Receiver, session: str, drop: str
) -> None:
    body = text_to(fresh())
    fake.behave(phone=digits(body["to"]), drop=drop, receipts=["delivered"], receipt_after_ms=300, times=1)
    begin = time.monotonic()
    assert problem(bridge.send(session, body)) == UNKNOWN
    assert time.monotonic() - begin < 10  # nobody waits for an ack that cannot come
    bridge.until_able(session)
    if drop == "after_receive":
        until(lambda: bridge.state(session, body["key"]) == "sent", "settled by the receipt")
        assert "delivered" in receiver.receipts(body["key"])
    else:
        later = text_to(body["to"])
        assert bridge.send(session, later).status_code == 200
        assert bridge.state(session, body["key"]) == "dispatching"
        assert [one["text"] for one in fake.received(body["to"])] == [later["text"]]
    assert problem(bridge.send(session, body))[:1] == (504,) if drop == "before" else True
    assert len(fake.received(body["to"])) == 1


@pytest.mark.parametrize("first", [False, True])
def test_delivered_and_read_are_told(
    bridge: LinkedBridge, fake: FakeWhatsApp, receiver: Receiver, session: str, first: bool
) -> None:
    body = text_to(fresh())
    fake.behave(phone=digits(body["to"]), receipts=["delivered", "read"], receipt_first=first)
    sent = bridge.send(session, body)
    assert sent.status_code == 200
    until(lambda: {"delivered", "read"} <= set(receiver.receipts(body["key"])), "both receipts")
    events = [event for event in receiver.of(session, "receipt") if event["data"]["key"] == body["key"]]
    assert {event["data"]["message_id"] for event in events} == {sent.json()["message_id"]}
    assert all(set(event["data"]) == {"message_id", "key", "status", "error"} for event in events)
    assert len({event["event_id"] for event in events}) == len(events)
    assert receiver.bad_signatures == 0


def test_a_failure_after_the_ack_is_told(
    bridge: LinkedBridge, fake: FakeWhatsApp, receiver: Receiver, session: str
) -> None:
    body = text_to(fresh())
    fake.behave(phone=digits(body["to"]), receipts=[])
    sent = bridge.send(session, body).json()
    fake.receipt(sent["message_id"], "failed")
    until(lambda: receiver.receipts(body["key"]) == ["failed"], "the failure")
    (event,) = [event for event in receiver.of(session, "receipt") if event["data"]["key"] == body["key"]]
    assert event["data"]["error"] == "provider_error"


def test_a_phone_that_could_not_read_it_gets_it_again(
    bridge: LinkedBridge, fake: FakeWhatsApp, receiver: Receiver, session: str
) -> None:
    body = text_to(fresh())
    fake.behave(phone=digits(body["to"]), retry=1, receipts=["delivered"])
    assert bridge.send(session, body).status_code == 200
    (got,) = until(lambda: fake.received(body["to"]), "it is readable at last")
    assert got["text"] == body["text"]
    until(lambda: receiver.receipts(body["key"]) == ["delivered"], "delivered once")


def test_who_is_not_on_whatsapp(bridge: LinkedBridge, fake: FakeWhatsApp, session: str) -> None:
    body = text_to(fresh("99001"))
    assert problem(bridge.send(session, body)) == (422, "not_on_whatsapp", "not_sent")
    assert bridge.key(session, body["key"]).json()["error"] == "not_on_whatsapp"
    assert fake.received(body["to"]) == []
    number = digits(body["to"])
    results = bridge.post(f"/whatsapp/{session}/numbers", {"numbers": [number]}).json()["results"]
    assert results == [{"number": number, "exists": False, "address": None}]


def test_whatsapp_is_asked_once_about_a_number(bridge: LinkedBridge, fake: FakeWhatsApp, session: str) -> None:
    to, other = fresh(), bridge.new_session()
    before = fake.stats()["checks"]
    for number in range(3):
        assert bridge.send((session, other)[number % 2], text_to(to)).status_code == 200
    results = bridge.post(f"/whatsapp/{session}/numbers", {"numbers": [digits(to)]}).json()["results"]
    assert results == [{"number": digits(to), "exists": True, "address": to}]
    assert fake.stats()["checks"] == before + 1


def test_sends_of_one_session_go_one_after_the_other(
    bridge: LinkedBridge, fake: FakeWhatsApp, session: str, pool: ThreadPoolExecutor
) -> None:
    """The pace is ours; but two at once on one session would use one ratchet."""
    to = fresh()
    fake.behave(phone=digits(to), ack_after_ms=50)
    bodies = [text_to(to) for _ in range(6)]
    answers = list(pool.map(lambda body: bridge.send(session, body), bodies))
    assert [answer.status_code for answer in answers] == [200] * 6
    assert sorted(one["text"] for one in fake.received(to)) == sorted(body["text"] for body in bodies)


def test_a_person_is_one_by_number_and_by_lid(
    bridge: LinkedBridge, fake: FakeWhatsApp, receiver: Receiver, session: str
) -> None:
    to, ours = fresh(), bridge.phones[session]
    assert bridge.send(session, text_to(to)).status_code == 200
    for address in ("lid", "pn"):
        fake.inbound(ours, digits(to), kind="text", text=f"By {address}", address=address, name="Dana")
        assert bridge.send(session, text_to(to)).status_code == 200
    texts = {"By lid", "By pn"}
    events = until(lambda: (found := receiver.of(session, "inbound")) and len(found) == 2 and found, "both answers")
    assert {event["data"]["text"] for event in events} == texts
    for event in events:
        assert set(event["data"]) == {"message_id", "from", "name", "kind", "text", "media"}
        assert (event["data"]["from"], event["data"]["name"]) == ("+" + digits(to), "Dana")
    assert len(fake.received(to)) == 3
    assert fake.devices()[ours]["unreadable"] == []


def test_a_stranger_who_writes_by_lid_has_a_number(
    bridge: LinkedBridge, fake: FakeWhatsApp, receiver: Receiver, session: str
) -> None:
    sender = digits(fresh())
    fake.inbound(bridge.phones[session], sender, kind="text", text="Hi", address="lid", name="Avi")
    (event,) = until(lambda: receiver.of(session, "inbound"), "the message")
    assert event["data"]["from"] == "+" + sender


def test_a_picture_that_comes_in(bridge: LinkedBridge, fake: FakeWhatsApp, receiver: Receiver, session: str) -> None:
    fake.inbound(bridge.phones[session], digits(fresh()), kind="image", text="Look", address="pn", name="Noa")
    (event,) = until(lambda: receiver.of(session, "inbound"), "the picture")
    data = event["data"]
    assert (data["kind"], data["text"]) == ("image", "Look")
    assert data["media"]["mimetype"].startswith("image/")
    assert base64.b64decode(data["media"]["data"], validate=True)
