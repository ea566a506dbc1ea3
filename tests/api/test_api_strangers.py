"""What a stranger can hold here: heads and bodies that are endless, slow or never come."""

from __future__ import annotations

import hashlib
import hmac
import socket
import time
from collections.abc import Iterator

import pytest
from fleet import SECRETS
from serving import Api, Simulator
from sqlalchemy import Engine
from waiting import until

from api import connection, signed_body

APP_SECRET = "the secret of the app"
SIGNED = {
    "/events/bridge": ("X-Signature", SECRETS["EVENTS_SECRET"]),
    "/webhooks/cloud": ("X-Hub-Signature-256", APP_SECRET),
}
SHORT_S = 0.3
HEAD = b"POST /webhooks/cloud HTTP/1.1\r\nHost: x\r\n"
MB = 1024 * 1024

every_address = pytest.mark.parametrize("path", SIGNED)


@pytest.fixture
def api(
    engine: Engine, database_url: str, redis_url: str, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Api]:
    """One that waits for nobody longer than SHORT_S."""
    monkeypatch.setattr(signed_body, "BODY_S", SHORT_S)
    monkeypatch.setattr(connection, "PATIENCE_S", SHORT_S)
    api = Api(engine, database_url, simulator, redis_url=redis_url, cloud_app_secret=APP_SECRET)
    api.start()
    yield api
    api.stop()


def opened(api: Api, first: bytes = b"") -> socket.socket:
    host, port = api.url.removeprefix("http://").split(":")
    client = socket.create_connection((host, int(port)), timeout=5)
    client.sendall(first)
    return client


def begun(api: Api, path: str, raw: bytes, *, length: int | None = None, signature: str | None = None) -> socket.socket:
    """A post of ``raw`` that says it is ``length`` bytes long, with a good signature of ``raw`` or this one."""
    header, secret = SIGNED[path]
    if signature is None:
        signature = "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    length = len(raw) if length is None else length
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\n{header}: {signature}\r\nContent-Length: {length}\r\n\r\n"
    return opened(api, head.encode() + raw)


def status(client: socket.socket) -> int:
    return int(client.recv(65536).split(b" ", 2)[1])


def is_ended(client: socket.socket) -> bool:
    """Whether the other side ends it, before the time-out of ``client``."""
    try:
        while client.recv(65536):
            pass
    except ConnectionError:
        pass
    except TimeoutError:
        return False
    return True


@every_address
def test_a_body_that_does_not_come_is_not_waited_for(api: Api, path: str) -> None:
    with begun(api, path, b"{", length=100) as client:
        assert status(client) == 408
        assert is_ended(client)


@every_address
@pytest.mark.parametrize("signature", ["", "sha256=", "sha256=" + "0" * 63, "sha256=" + "G" * 64, "x" * 71])
def test_what_cannot_be_signed_is_refused_before_its_body_comes(
    api: Api, path: str, signature: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signed_body, "BODY_S", 30)
    with begun(api, path, b"{", length=100, signature=signature) as client:
        assert status(client) == 401


@every_address
def test_few_large_bodies_are_held_at_once_and_small_ones_come_in(
    api: Api, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signed_body, "BODY_S", 30)
    monkeypatch.setattr(signed_body, "LARGE_AT_ONCE", 2)
    small, large = b"{}", b"{}" + b" " * signed_body.LARGE

    def posted(raw: bytes) -> int:
        with begun(api, path, raw) as client:
            return status(client)

    good = posted(small)
    assert good in (200, 422)  # which is no event of a bridge
    assert posted(large) == good
    with begun(api, path, b"{", length=len(large)), begun(api, path, b"{", length=len(large)):
        until(lambda: posted(large) == 503, "large ones are told to come again")
        assert posted(small) == good
    until(lambda: posted(large) == good, "large ones come in again")


@pytest.mark.parametrize("piece", [b"x" * 65_536, b"X-A: b\r\n" * 8_192], ids=["one header", "many headers"])
@pytest.mark.parametrize(
    "before",
    [
        b"",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n",
    ],
    ids=["the first head", "the next head", "behind a body"],
)
def test_a_head_without_end_is_cut_off(api: Api, before: bytes, piece: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "PATIENCE_S", 30)
    with opened(api, before) as client:
        if before:
            assert status(client) in (200, 405)
        client.sendall((b"" if b"chunked" in before else HEAD) + b"X-A: ")
        assert taken(client, piece) < 20 * MB  # most of it by the sockets' buffers


def taken(client: socket.socket, piece: bytes) -> int:
    """Bytes that could be sent of this again and again, up to 100 MB, before the connection was cut off."""
    sent = 0
    try:
        while sent < 100 * MB:
            sent += client.send(piece)
    except ConnectionError:
        pass
    return sent


def test_a_long_head_and_a_long_body_come_in(api: Api) -> None:
    long = b"X-A: " + b"a" * 50_000 + b"\r\n"
    with opened(api) as client:
        for _ in range(3):
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + long + b"\r\n")
            assert status(client) == 200
    answer = api.ask("POST", "/api/broadcasts", data=(b" " * 10_000 for _ in range(200)))
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"P",
        HEAD,
        HEAD + b"X-A: b",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + HEAD,
        b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
    ],
    ids=["nothing", "a letter", "half a head", "half a line", "half the next head", "half a body that was answered"],
)
def test_a_head_that_does_not_come_is_not_waited_for(api: Api, said: bytes) -> None:
    with opened(api, said) as client:
        assert is_ended(client)


def test_letters_now_and_then_gain_no_time(api: Api) -> None:
    with opened(api, HEAD) as client:
        client.settimeout(SHORT_S / 10)
        until(lambda: drips(client), "it is cut off", every_s=SHORT_S / 10)


def drips(client: socket.socket) -> bool:
    """Send one letter more; whether the connection is ended."""
    try:
        client.sendall(b"x")
    except ConnectionError:
        return True
    return is_ended(client)


def test_who_pauses_between_requests_or_waits_for_an_answer_is_not_cut_off(api: Api, engine: Engine) -> None:
    raw = b'{"entry": []}'
    with begun(api, "/webhooks/cloud", raw) as client:
        assert status(client) == 200
        pause()
        with engine.begin() as db:
            db.exec_driver_sql("LOCK TABLE events IN EXCLUSIVE MODE")
            good = hmac.new(APP_SECRET.encode(), raw, hashlib.sha256).hexdigest().encode()
            client.sendall(
                HEAD + b"X-Hub-Signature-256: sha256=%s\r\nContent-Length: %d\r\n\r\n" % (good, len(raw)) + raw
            )
            until(api.waits_for_a_lock, "it waits for its answer")
            pause()
        assert status(client) == 200


def pause() -> None:
    """Let more time pass than heads and bodies have."""
    end = time.monotonic() + 2 * SHORT_S
    until(lambda: time.monotonic() > end, "time passes")
