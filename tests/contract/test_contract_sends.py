"""Sends and their keys: once, never twice, and closed for ever."""

import base64
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from bridges import Bridge, fresh, text_to


def when(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    assert moment.tzinfo is not None
    return moment


def test_a_send_is_answered_with_its_message_id(bridge: Bridge, session: str) -> None:
    body = text_to(fresh())
    answer = bridge.send(session, body)
    sent = answer.json()
    assert answer.status_code == 200
    assert sent.pop("message_id")
    assert sent.pop("duration_ms") >= 0
    assert sent == {"status": "sent", "key": body["key"], "duplicate": False}


def test_the_key_can_be_looked_up(bridge: Bridge, session: str) -> None:
    body = text_to(fresh())
    sent = bridge.send(session, body).json()
    answer = bridge.key(session, body["key"])
    found = answer.json()
    assert answer.status_code == 200
    assert set(found) == {"state", "message_id", "error", "updated_at", "ledger_since"}
    assert (found["state"], found["message_id"], found["error"]) == ("sent", sent["message_id"], None)
    assert when(found["ledger_since"]) < when(found["updated_at"])


def test_a_key_never_seen_is_absent(bridge: Bridge, session: str) -> None:
    answer = bridge.key(session, "never.1")
    assert answer.status_code == 404
    assert set(answer.json()) == {"error", "ledger_since"}
    assert answer.json()["error"] == "absent"
    assert when(answer.json()["ledger_since"])


def test_a_repeat_gets_the_first_answer(bridge: Bridge, session: str) -> None:
    body = text_to(fresh())
    first = bridge.send(session, body).json()
    again = bridge.send(session, body)
    assert again.status_code == 200
    assert again.json() == first | {"duplicate": True}


def test_a_repeat_is_answered_while_the_session_is_away(bridge: Bridge, session: str) -> None:
    body = text_to(fresh())
    first = bridge.send(session, body).json()
    bridge.post(f"/whatsapp/{session}/disconnect")
    assert bridge.send(session, body).json() == first | {"duplicate": True}


@pytest.mark.parametrize("change", [{"text": "other"}, {"to": fresh()}, {"kind": "image"}])
def test_the_same_key_with_another_body_is_a_conflict(bridge: Bridge, session: str, change: dict[str, Any]) -> None:
    body = text_to(fresh())
    bridge.send(session, body)
    answer = bridge.send(session, body | change)
    assert (answer.status_code, answer.json()) == (409, {"error": "key_conflict"})


def test_the_same_key_on_another_session_is_a_conflict(bridge: Bridge, session: str) -> None:
    body = text_to(fresh())
    bridge.send(session, body)
    answer = bridge.send(bridge.new_session(), body)
    assert (answer.status_code, answer.json()) == (409, {"error": "key_conflict"})


def test_twenty_posts_of_one_key_at_once(bridge: Bridge, session: str, pool: ThreadPoolExecutor) -> None:
    body = text_to(fresh())
    answers = list(pool.map(lambda _: bridge.send(session, body), range(20)))
    firsts = [answer.json() for answer in answers if answer.status_code == 200 and not answer.json()["duplicate"]]
    others = Counter(answer.json().get("error", "duplicate") for answer in answers if answer.json() not in firsts)
    assert len(firsts) == 1
    assert set(others) <= {"in_flight", "duplicate"}
    assert others.total() == 19
    assert bridge.send(session, body).json() == firsts[0] | {"duplicate": True}
    assert len(bridge.received(body["to"])) == 1


def test_closing_an_absent_key_is_for_ever(bridge: Bridge, session: str) -> None:
    body = text_to(fresh())
    closed = bridge.close(session, body["key"])
    assert (closed.status_code, closed.json()["state"]) == (200, "closed")
    assert set(closed.json()) == {"state", "message_id", "error", "updated_at", "ledger_since"}
    for _ in range(2):
        answer = bridge.send(session, body)
        assert (answer.status_code, answer.json()) == (409, {"error": "key_closed"})
    assert bridge.key(session, body["key"]).json()["state"] == "closed"
    assert bridge.received(body["to"]) == []


def test_closing_works_without_a_session(bridge: Bridge) -> None:
    assert bridge.close("gone-for-long", "gone.1").json()["state"] == "closed"


def test_a_sent_key_stays_sent(bridge: Bridge, session: str) -> None:
    body = text_to(fresh())
    sent = bridge.send(session, body).json()
    closed = bridge.close(session, body["key"]).json()
    assert (closed["state"], closed["message_id"]) == ("sent", sent["message_id"])
    assert bridge.send(session, body).json()["duplicate"] is True


def test_a_failed_key_answers_the_same_until_it_is_closed(bridge: Bridge, session: str) -> None:
    body = text_to("120363000000000000@g.us")
    first = bridge.send(session, body)
    again = bridge.send(session, body)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    found = bridge.key(session, body["key"]).json()
    assert (found["state"], found["error"]) == ("failed", "invalid_recipient")
    assert bridge.close(session, body["key"]).json()["state"] == "closed"
    assert bridge.send(session, body).json() == {"error": "key_closed"}


def test_close_and_post_at_the_same_time(bridge: Bridge, session: str, pool: ThreadPoolExecutor) -> None:
    """Whatever the order: a key that was closed was not sent, and one that was sent is not closed."""
    for _ in range(25):
        body = text_to(fresh())
        post = pool.submit(bridge.send, session, body)
        closed = pool.submit(bridge.close, session, body["key"]).result().json()["state"]
        answer = post.result()
        assert closed in ("closed", "dispatching", "sent")
        assert (answer.status_code == 200) == (closed != "closed")
        assert bridge.state(session, body["key"]) == ("sent" if answer.status_code == 200 else "closed")
        assert len(bridge.received(body["to"])) == (answer.status_code == 200)


@pytest.mark.parametrize(
    "to",
    [
        "120363000000000000@g.us",
        "status@broadcast",
        "972501234567",
        "0501234567@s.whatsapp.net",
        "x@s.whatsapp.net",
        "",
    ],
)
def test_only_persons_are_sent_to(bridge: Bridge, session: str, to: str) -> None:
    answer = bridge.send(session, text_to(to))
    assert answer.status_code == 422
    assert answer.json()["error"] == "invalid_recipient"
    assert answer.json()["outcome"] == "not_sent"
    assert answer.json()["retryable"] is False


PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n picture").decode()


@pytest.mark.parametrize("kind", ["image", "video", "audio", "document"])
def test_media_are_sent_with_their_caption(bridge: Bridge, session: str, kind: str) -> None:
    media = {"data": PIXEL, "mimetype": f"{kind}/x-test", "filename": "file"}
    answer = bridge.send(session, text_to(fresh(), kind=kind, media=media))
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "sticker"},
        {"kind": "image", "media": None},
        {"kind": "image", "media": {"data": PIXEL, "mimetype": "text/html", "filename": "x"}},
        {"kind": "image", "media": {"data": "no base64!", "mimetype": "image/png", "filename": "x"}},
        {"kind": "image", "media": {"data": "", "mimetype": "image/png", "filename": "x"}},
    ],
)
def test_media_that_cannot_be_sent(bridge: Bridge, session: str, change: dict[str, Any]) -> None:
    answer = bridge.send(session, text_to(fresh()) | change)
    assert (answer.status_code, answer.json()["error"]) == (422, "unsupported_media")


@pytest.mark.parametrize(
    "change",
    [
        {"text": "x" * 65_537},
        {"kind": "document", "media": {"data": "AAAA" * 5_700_000, "mimetype": "a/b", "filename": "x"}},
    ],
)
def test_what_is_too_large(bridge: Bridge, session: str, change: dict[str, Any]) -> None:
    answer = bridge.send(session, text_to(fresh()) | change)
    assert (answer.status_code, answer.json()["error"], answer.json()["outcome"]) == (413, "too_large", "not_sent")


def test_a_send_limit_shorter_than_the_send(bridge: Bridge, session: str) -> None:
    body = text_to(fresh(), deadline_s=0.001)
    answer = bridge.send(session, body)
    assert (answer.status_code, answer.json()["error"], answer.json()["outcome"]) == (504, "send_timeout", "unknown")
    assert bridge.send(session, body).json() == answer.json()


def test_numbers_are_looked_up(bridge: Bridge, session: str) -> None:
    to = fresh()
    number = to.partition("@")[0]
    results = bridge.post(f"/whatsapp/{session}/numbers", {"numbers": [number, "12"]}).json()["results"]
    assert results == [
        {"number": number, "exists": True, "address": to},
        {"number": "12", "exists": False, "address": None},
    ]
