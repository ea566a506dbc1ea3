"""Each row of the table of behaviours: what is answered, what the key says, what the person got, what receipts come."""

import time
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests
from bridges import Bridge, Receiver, fresh, text_to
from waiting import until

from bridge.simulator.behaviours import BEHAVIOURS, NORMAL, draw
from settings import ROOT

pytestmark = pytest.mark.simulator_only

ENDINGS = {behaviour.name: behaviour.ending for behaviour in BEHAVIOURS if behaviour.ending}


def person(behaviour: str) -> str:
    return fresh(ENDINGS[behaviour])


def sent(answer: requests.Response) -> bool:
    return answer.status_code == 200 and answer.json()["status"] == "sent"


def problem(answer: requests.Response) -> tuple[int, Any, Any, Any]:
    body = answer.json()
    return answer.status_code, body["error"], body["outcome"], body["retryable"]


def test_the_documents_table_is_the_codes_table() -> None:
    rows = [
        f"| {one.ending or ('any other' if one is NORMAL else '')} | `{one.name}` "
        f"| {'yes' if one.for_sessions else ''} | {one.words} |"
        for one in (NORMAL, *BEHAVIOURS)
    ]
    document = Path(ROOT / "docs" / "simulator.md").read_text().splitlines()
    start = document.index("|---|---|---|---|") + 1
    shown = document[start : document.index("", start)]
    assert [" ".join(row.split()) for row in shown] == [" ".join(row.split()) for row in rows]


@pytest.mark.parametrize(
    ("behaviour", "status", "retryable"),
    [
        ("not_on_whatsapp", 422, False),
        ("invalid_recipient", 422, False),
        ("unsupported_media", 422, False),
        ("too_large", 413, False),
        ("provider_error", 502, True),
    ],
)
def test_refusals(bridge: Bridge, session: str, behaviour: str, status: int, retryable: bool) -> None:
    to = person(behaviour)
    for _ in range(2):
        body = text_to(to)
        assert problem(bridge.send(session, body)) == (status, behaviour, "not_sent", retryable)
        assert bridge.state(session, body["key"]) == "failed"
    assert bridge.received(to) == []


def test_not_on_whatsapp_is_seen_by_the_look_up_of_numbers(bridge: Bridge, session: str) -> None:
    number = person("not_on_whatsapp").partition("@")[0]
    results = bridge.post(f"/whatsapp/{session}/numbers", {"numbers": [number]}).json()["results"]
    assert results == [{"number": number, "exists": False, "address": None}]


def test_timeout_before(bridge: Bridge, session: str) -> None:
    to = person("timeout_before")
    body = text_to(to, deadline_s=0.1)
    with pytest.raises(requests.ReadTimeout):
        bridge.send(session, body, timeout_s=0.6)
    assert bridge.state(session, body["key"]) == "reserved"
    assert bridge.received(to) == []
    until(lambda: not bridge.get(f"/whatsapp/{session}/sending-status").json()["is_sending"], "the send is let go")
    assert bridge.close(session, body["key"]).json()["state"] == "closed"


@pytest.mark.parametrize("behaviour", ["timeout_after", "timeout_settled"])
def test_timeout_after(bridge: Bridge, session: str, behaviour: str) -> None:
    to = person(behaviour)
    body = text_to(to, deadline_s=0.5)
    begin = time.monotonic()
    assert problem(bridge.send(session, body)) == (504, "send_timeout", "unknown", False)
    assert 0.4 < time.monotonic() - begin < 2
    assert bridge.state(session, body["key"]) == "dispatching"
    assert bridge.close(session, body["key"]).json()["state"] == "dispatching"
    assert problem(bridge.send(session, body)) == (504, "send_timeout", "unknown", False)
    assert len(bridge.received(to)) == 1


def test_error_before(bridge: Bridge, session: str) -> None:
    to = person("error_before")
    for _ in range(4):
        body = text_to(to)
        assert problem(bridge.send(session, body)) == (500, "internal", "not_sent", True)
        assert bridge.state(session, body["key"]) == "failed"
        assert problem(bridge.send(session, body)) == (500, "internal", "not_sent", True)
    assert bridge.received(to) == []


def test_error_before_twice(bridge: Bridge, session: str) -> None:
    to = person("error_before_twice")
    for _ in range(2):
        assert problem(bridge.send(session, text_to(to))) == (500, "internal", "not_sent", True)
    assert sent(bridge.send(session, text_to(to)))
    assert len(bridge.received(to)) == 1


def test_error_after(bridge: Bridge, session: str) -> None:
    to = person("error_after")
    body = text_to(to)
    assert problem(bridge.send(session, body)) == (500, "internal", "unknown", False)
    assert bridge.state(session, body["key"]) == "dispatching"
    assert len(bridge.received(to)) == 1


def test_throttled(bridge: Bridge, session: str) -> None:
    to = person("throttled")
    body = text_to(to)
    answer = bridge.send(session, body)
    assert problem(answer) == (429, "throttled", "not_sent", True)
    assert answer.json()["retry_after_s"] == 1
    assert bridge.state(session, body["key"]) == "failed"
    assert sent(bridge.send(session, text_to(to)))
    assert len(bridge.received(to)) == 1


def test_restricted(bridge: Bridge, receiver: Receiver, session: str) -> None:
    to = person("restricted")
    body = text_to(to)
    assert problem(bridge.send(session, body)) == (503, "restricted", "not_sent", True)
    status = bridge.status(session)
    assert (status["connected"], status["can_send"], status["last_error"]) == (True, False, "restricted")
    assert status["restricted_until"]
    assert problem(bridge.send(session, text_to(fresh()))) == (503, "restricted", "not_sent", True)
    assert bridge.state(session, body["key"]) == "absent"
    until(lambda: bridge.status(session)["can_send"], "the restriction is lifted")
    assert bridge.status(session)["restricted_until"] is None
    assert sent(bridge.send(session, body))
    told = until(
        lambda: [e["data"]["can_send"] for e in receiver.of(session, "connection")][-2:] == [False, True], "told"
    )
    assert told


def test_logged_out(bridge: Bridge, session: str) -> None:
    body = text_to(person("logged_out"))
    assert problem(bridge.send(session, body)) == (503, "logged_out", "not_sent", True)
    status = bridge.status(session)
    assert (status["state"], status["can_send"], status["qr_required"]) == ("logged_out", False, True)
    assert problem(bridge.send(session, text_to(fresh())))[1] == "logged_out"
    bridge.post(f"/whatsapp/{session}/start")
    until(lambda: bridge.get(f"/whatsapp/{session}/qr").status_code == 200, "a QR code is needed again")
    until(lambda: bridge.status(session)["can_send"], "scanned again")
    assert sent(bridge.send(session, body))


def test_not_connected(bridge: Bridge, session: str) -> None:
    body = text_to(person("not_connected"))
    assert problem(bridge.send(session, body)) == (503, "not_connected", "not_sent", True)
    assert bridge.status(session)["connected"] is False
    assert bridge.status(session)["last_error"] == "not_connected"
    begin = time.monotonic()
    until(lambda: bridge.status(session)["can_send"], "back by itself")
    assert 1 < time.monotonic() - begin < 4
    assert sent(bridge.send(session, body))


def test_slow(bridge: Bridge, session: str) -> None:
    body = text_to(person("slow"), deadline_s=2)
    answer = bridge.send(session, body)
    assert sent(answer)
    assert 900 < answer.json()["duration_ms"] < 1900


def test_answer_lost(bridge: Bridge, session: str) -> None:
    to = person("answer_lost")
    body = text_to(to)
    with pytest.raises(requests.ConnectionError):
        bridge.send(session, body)
    assert bridge.state(session, body["key"]) == "sent"
    assert bridge.send(session, body).json()["duplicate"] is True
    assert len(bridge.received(to)) == 1


RECEIPTS = {
    "normal": ["delivered", "read"],
    "no_receipts": [],
    "never_read": ["delivered"],
    "failed_later": ["failed"],
    "receipts_repeated": ["read", "read", "delivered", "delivered", "sent", "sent"],
    "answer_lost": ["delivered", "read"],
    "error_after": ["delivered", "read"],
    "timeout_after": [],
    "timeout_settled": ["delivered", "read"],
}


def test_receipts(bridge: Bridge, receiver: Receiver, session: str) -> None:
    bodies = {name: text_to(fresh(ENDINGS.get(name)), deadline_s=0.3) for name in RECEIPTS}
    for body in bodies.values():
        with suppress(requests.ConnectionError):
            bridge.send(session, body)

    def came() -> dict[str, list[str]]:
        return {name: receiver.receipts(body["key"]) for name, body in bodies.items()}

    until(lambda: came() == RECEIPTS, f"{RECEIPTS}")
    later(bridge, receiver, session)
    assert came() == RECEIPTS
    for name, body in bodies.items():
        events = [event for event in receiver.of(session, "receipt") if event["data"]["key"] == body["key"]]
        assert len({event["event_id"] for event in events}) == len(set(RECEIPTS[name]))
        for data in (event["data"] for event in events):
            assert set(data) == {"message_id", "key", "status", "error"}
            assert data["message_id"] == bridge.key(session, body["key"]).json()["message_id"]
            assert data["error"] == ("provider_error" if name == "failed_later" else None)


def test_the_receipt_comes_before_the_answer(bridge: Bridge, receiver: Receiver, session: str) -> None:
    body = text_to(person("receipt_first"))
    assert sent(bridge.send(session, body))
    assert sorted(receiver.receipts(body["key"])) == ["delivered", "read"]


def test_replies(bridge: Bridge, receiver: Receiver, session: str) -> None:
    texts = {}
    for behaviour, text in {"replies": "Thank you", "replies_stop": "STOP"}.items():
        texts[to := person(behaviour)] = text
        assert sent(bridge.send(session, text_to(to)))
    until(lambda: len(receiver.of(session, "inbound")) == 2, "both replies")
    for reply in (event["data"] for event in receiver.of(session, "inbound")):
        assert set(reply) == {"message_id", "from", "name", "kind", "text", "media"}
        assert (reply["kind"], reply["media"]) == ("text", None)
        assert reply["text"].startswith(texts.pop(reply["from"]))


def later(bridge: Bridge, receiver: Receiver, session: str) -> None:
    """Return when the receipts of a message sent now have all come: those of earlier ones would have come before."""
    late = next(key for key in (f"late-{session}-{number}" for number in count()) if draw(key) > 0.99)
    assert sent(bridge.send(session, text_to(fresh(), late)))
    until(lambda: receiver.receipts(late) == ["delivered", "read"], "the receipts of a later message")


def test_every_behaviour_is_tested() -> None:
    """A new row of the table needs a test of its own in this folder."""
    texts = "".join(path.read_text() for path in Path(__file__).parent.glob("test_simulator_*.py"))
    assert [one.name for one in BEHAVIOURS if f'"{one.name}"' not in texts] == []
