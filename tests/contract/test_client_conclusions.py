"""What our client concludes from an answer: *not sent* only when nothing was written, or when the bridge says so."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bridge.http_client import HttpBridge
from bridge.protocol import BridgeAwayError, InDoubt, NotSent, Outbound, Text
from local.ports import any_free_port

OUTBOUND = Outbound("device1", "1.1", "972501234567@s.whatsapp.net", Text("Hello"))


def client(port: int) -> HttpBridge:
    return HttpBridge(f"http://127.0.0.1:{port}", "secret", send_limit_s=5, http_timeout_s=7)


@contextmanager
def answering(content: bytes) -> Iterator[HttpBridge]:
    """The client of a server that reads one request, writes these bytes and hangs up."""

    def answer() -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rwb") as stream:
            length = 0
            while (line := stream.readline().strip().lower()) != b"":
                name, _, value = line.partition(b":")
                length = int(value) if name == b"content-length" else length
            stream.read(length)
            stream.write(content)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield client(listener.getsockname()[1])
        finally:
            thread.join()


def http(status: int, content: str) -> bytes:
    return f"HTTP/1.1 {status} It\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n{content}".encode()


def told(status_code: int, **body: Any) -> bytes:
    return http(status_code, json.dumps(body))


IN_DOUBT = {
    "no answer to what was written": b"",
    "somebody else's page": http(200, "<h1>Welcome</h1>"),
    "a good answer that does not say sent": told(200, status="reserved", key="1.1"),
    "the key is being sent by somebody": told(409, error="in_flight"),
    "the key was used for another message": told(409, error="key_conflict"),
    "a closed key that is no conflict": told(500, error="key_closed"),
    "an error without an outcome": told(500, error="internal"),
    "a time-out": told(504, error="send_timeout", outcome="unknown", retryable=False),
    "a proxy's error": http(502, "<h1>Bad gateway</h1>"),
}


@pytest.mark.parametrize("answer", IN_DOUBT)
def test_it_may_have_gone_out(answer: str) -> None:
    with answering(IN_DOUBT[answer]) as bridge:
        assert isinstance(bridge.send(OUTBOUND), InDoubt)


def test_what_could_not_be_written_was_not_sent() -> None:
    result = client(any_free_port()).send(OUTBOUND)
    assert isinstance(result, NotSent)
    assert (result.code, result.proof) == ("bridge_unreachable", "refused")


def test_the_age_of_the_ledger_is_by_the_bridges_own_clock() -> None:
    times = {"updated_at": "2031-05-01T10:00:00+02:00", "ledger_since": "2031-05-01T07:59:00Z"}
    with answering(told(200, state="closed", message_id=None, error=None, **times)) as bridge:
        assert bridge.close("device1", "1.1").ledger_age_s == 60


def test_a_bridge_that_refuses_our_secret_has_not_said_anything_about_a_key() -> None:
    with answering(told(401, error="unauthorized")) as bridge, pytest.raises(BridgeAwayError):
        bridge.close("device1", "1.1")
