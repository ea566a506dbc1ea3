"""Who may come in, how much they may bring, and the one form of all errors."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
import requests
from fleet import SECRETS
from serving import Api, Simulator, answered, people, refused
from sqlalchemy import Engine


@pytest.mark.parametrize(
    "given",
    [None, "", "Bearer", "Bearer wrong", SECRETS["API_TOKEN"], f"bearer {SECRETS['API_TOKEN']}", "Bearer é"],
)
def test_without_the_token_nobody_comes_in(refusing_api: Api, given: str | None) -> None:
    headers = {} if given is None else {"Authorization": given.encode()}
    response = requests.post(f"{refusing_api.url}/api/broadcasts", data=b"{", headers=headers, timeout=10)
    refused(response, 401, "UNAUTHORIZED")
    assert response.headers["WWW-Authenticate"] == "Bearer"
    refused(requests.get(f"{refusing_api.url}/api/nothing", headers=headers, timeout=10), 401, "UNAUTHORIZED")


def test_what_does_not_exist(refusing_api: Api) -> None:
    refused(refusing_api.get("/api/nothing"), 404, "NOT_FOUND")
    refused(refusing_api.get("/nothing"), 404, "NOT_FOUND")
    response = refusing_api.ask("DELETE", "/api/broadcasts")
    refused(response, 405, "METHOD_NOT_ALLOWED")
    assert response.headers["Allow"]
    refused(refusing_api.get("/events/bridge"), 405, "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize(
    ("body", "content_type", "words"),
    [
        (b"", "application/json", "body: is missing"),
        (b"{", "application/json", "body: is not JSON"),
        (b"\xff", "application/json", "body: the body cannot be read"),
        (b"[" * 100_000, "application/json", "body: the body cannot be read"),
        (b"1" * 5000, "application/json", "body: the body cannot be read"),
        (b"[]", "application/json", "body: must be a JSON object"),
        (b'"text"', "application/json", "body: must be a JSON object"),
        (b"{}", "text/plain", "body: must be a JSON object, sent with Content-Type: application/json"),
        (b"{}", "application/json", "message: is missing"),
    ],
)
def test_bodies_that_cannot_be_read(refusing_api: Api, body: bytes, content_type: str, words: str) -> None:
    response = refusing_api.ask("POST", "/api/broadcasts", data=body, headers={"Content-Type": content_type})
    details = refused(response, 422, "INVALID")
    assert response.json()["message"].startswith(words)
    assert details["errors"][0]["field"] == words.split(":", maxsplit=1)[0] == details["field"]


def test_a_body_has_a_limit(refusing_api: Api) -> None:
    for path, limit_mb in (("/api/broadcasts", 50), ("/api/broadcasts/csv", 50), ("/api/messages", 1)):
        answer = raw(refusing_api, path, f"Content-Length: {limit_mb * 1024 * 1024 + 1}", b"{")
        assert answer["error_code"] == "TOO_LARGE"
        assert answer["details"] == {"limit_bytes": limit_mb * 1024 * 1024}


def test_a_body_that_does_not_say_its_length_has_a_limit_too(refusing_api: Api) -> None:
    chunks = (b"x" * 100_000 for _ in range(20))
    headers = {"Content-Type": "application/json"}
    refused(refusing_api.ask("POST", "/api/messages", data=chunks, headers=headers), 413, "TOO_LARGE")


def raw(api: Api, path: str, header: str, body: bytes) -> Any:
    """The JSON of the answer to a request as no client library would send it."""
    host, port = api.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SECRETS['API_TOKEN']}\r\n{header}\r\n\r\n"
        connection.sendall(head.encode() + body)
        answer = connection.recv(65536)
    return json.loads(answer.split(b"\r\n\r\n", 1)[1])


def test_a_failure_of_ours_tells_nothing_of_it(api: Api) -> None:
    api.execute("ALTER TABLE messages RENAME TO elsewhere")
    response = api.get("/api/whatsapp/metrics")
    refused(response, 500, "INTERNAL")
    assert "elsewhere" not in response.text
    assert "SELECT" not in response.text


def test_a_database_that_is_away(engine: Engine, redis_url: str, simulator: Simulator) -> None:
    api = Api(engine, "postgresql://fanfare:x@127.0.0.1:9/fanfare", simulator, redis_url=redis_url)
    api.start()
    try:
        refused(api.get("/api/devices"), 503, "DATABASE_AWAY")
        refused(api.post("/api/broadcasts", {"message": "Hello", "recipients": people(1)}), 503, "DATABASE_AWAY")
    finally:
        api.stop()


def test_the_api_describes_itself(refusing_api: Api) -> None:
    assert requests.get(f"{refusing_api.url}/docs", timeout=10).ok
    described = answered(requests.get(f"{refusing_api.url}/openapi.json", timeout=10), 200)
    operations = {
        (method, path): operation
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    }
    assert {path for _, path in operations} >= {
        "/api/broadcasts",
        "/api/broadcasts/csv",
        "/api/messages",
        "/api/devices",
    }
    assert all(operation.get("description") for operation in operations.values())
    launch = operations["post", "/api/broadcasts"]
    assert "Idempotency-Key" in [parameter["name"] for parameter in launch["parameters"]]
    assert launch["security"]
    assert described["components"]["schemas"]["Broadcast"]["properties"]["message"]["examples"]
