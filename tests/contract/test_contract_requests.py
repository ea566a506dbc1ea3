"""Who may come in, and what becomes of requests that are not as the contract says."""

import pytest
import requests
from bridges import SECRET, Bridge, Client, fresh, text_to

PATHS = [
    ("GET", "/whatsapp"),
    ("GET", "/whatsapp/any/status"),
    ("GET", "/whatsapp/any/sending-status"),
    ("GET", "/whatsapp/any/qr"),
    ("GET", "/whatsapp/any/messages/1.1"),
    ("POST", "/whatsapp/any/messages"),
    ("POST", "/whatsapp/any/messages/1.1/close"),
    ("POST", "/whatsapp/any/numbers"),
    ("POST", "/whatsapp/any/pairing-code"),
    ("POST", "/whatsapp/any/start"),
    ("POST", "/whatsapp/any/restart"),
    ("POST", "/whatsapp/any/disconnect"),
    ("POST", "/whatsapp/any/logout"),
]


@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET + "x", SECRET[:-1]])
@pytest.mark.parametrize(("method", "path"), PATHS)
def test_every_path_asks_for_the_secret(bridge: Bridge, method: str, path: str, secret: str | None) -> None:
    stranger = Client(bridge.url, secret)
    answer = stranger.get(path) if method == "GET" else stranger.post(path, {})
    assert answer.status_code == 401


def test_a_stranger_changes_nothing(bridge: Bridge) -> None:
    Client(bridge.url, "wrong").post("/whatsapp/strangers/start")
    assert bridge.get("/whatsapp/strangers/status").status_code == 404


def test_health_needs_no_secret(bridge: Bridge) -> None:
    assert Client(bridge.url, None).get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [item for item in PATHS if "/any/" in item[1] and not item[1].endswith(("1.1", "close", "start"))]
    + [("POST", "/whatsapp/any/restart")],
)
def test_a_session_that_does_not_exist(bridge: Bridge, method: str, path: str) -> None:
    path = path.replace("any", "nobody")
    body = text_to(fresh()) if path.endswith("messages") else {}
    answer = bridge.get(path) if method == "GET" else bridge.post(path, body)
    assert (answer.status_code, answer.json()["error"]) == (404, "no_session")


def test_nothing_else_is_served(bridge: Bridge, session: str) -> None:
    assert bridge.get("/").status_code == 404
    assert bridge.get(f"/whatsapp/{session}/nothing").status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": ""},
        {"key": 7},
        {"key": "k" * 201},
        {"key": "a/b"},
        {"to": None},
        {"kind": None},
        {"text": ""},
        {"text": 5},
        {"media": "aGVsbG8="},
        {"deadline_s": 0},
        {"deadline_s": "soon"},
        {"deadline_s": True},
    ],
)
def test_a_body_that_is_wrong_is_refused_and_not_sent(bridge: Bridge, session: str, wrong: dict[str, object]) -> None:
    body = text_to(fresh()) | wrong
    answer = bridge.send(session, body)
    assert answer.status_code == 400
    assert answer.json()["outcome"] == "not_sent"
    assert next(iter(wrong)) in answer.json()["message"]


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff\xfe", b'"text"'])
def test_a_body_that_is_no_json_object(bridge: Bridge, session: str, raw: bytes) -> None:
    url = f"{bridge.url}/whatsapp/{session}/messages"
    answer = requests.post(url, data=raw, headers={"X-Internal-Secret": SECRET}, timeout=20)
    assert (answer.status_code, answer.json()["outcome"]) == (400, "not_sent")
