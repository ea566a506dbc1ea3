"""Answers that Meta would not give: they hold up no thread, break nothing, and can be written down."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from graph_accounts import Numbers, client
from graph_world import Number
from scripted import scripted

from bridge.cloud import graph as graph_client
from bridge.cloud.client import CloudBridge
from bridge.protocol import Accepted, BridgeAwayError, InDoubt, NotSent, Outbound, Text

TO = "972501234567"
LATE = InDoubt("send_timeout", "TooLong", final=True)


def send(cloud: CloudBridge, number: Number) -> Any:
    return cloud.send(Outbound(number.id, "1.1", f"{TO}@s.whatsapp.net", Text("Hello")))


@contextmanager
def answering(head: bytes, piece: bytes, every_s: float) -> Iterator[str]:
    """A server that answers each request with ``head``, and then with a piece at a time, without end: its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def answer(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(2**16)
            connection.sendall(head)
            while not over.wait(every_s):
                connection.sendall(piece)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(listener.accept()[0],)).start()

    threading.Thread(target=accept).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


OK = b"HTTP/1.1 200 OK\r\n"
DRIPPING = {
    "its head": (OK, b"X"),
    "its body": (OK + b"Content-Length: 100000\r\n\r\n", b" "),
    "its chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "what never ends": (OK + b"\r\n", b" "),
}


@pytest.mark.parametrize("what", DRIPPING)
def test_the_time_is_for_a_whole_answer(numbers: Numbers, number: Number, what: str) -> None:
    with answering(*DRIPPING[what], every_s=0.1) as url:
        cloud = client(url, numbers, send_limit_s=1)
        started = time.monotonic()
        result = send(cloud, number)
        assert time.monotonic() - started < 3
        assert isinstance(result, InDoubt)
        assert (result.code, result.final) == ("send_timeout", True)
        with pytest.raises(BridgeAwayError):
            cloud.sessions(0.5)
        assert time.monotonic() - started < 5


@pytest.mark.parametrize("head", [OK + b"Content-Length: 400000000\r\n\r\n", OK + b"\r\n"])
def test_an_answer_without_end_is_not_read_to_it(numbers: Numbers, number: Number, head: bytes) -> None:
    with answering(head, b" " * 2**20, every_s=0) as url:
        assert send(client(url, numbers), number) == LATE


def test_nor_is_one_that_unpacks_without_end(numbers: Numbers, number: Number) -> None:
    packed = gzip.compress(b" " * (2 * graph_client.LONGEST_ANSWER))
    head = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    with answering(head + packed, b"", every_s=0.1) as url:
        assert send(client(url, numbers), number) == LATE


def test_what_cannot_be_stored_of_metas_words_is_replaced(numbers: Numbers, number: Number) -> None:
    error = {"error": {"code": 131026, "message": "a\0b\ud800c"}}
    with scripted([[(400, error)]]) as (url, _):
        result = send(client(url, numbers), number)
    assert isinstance(result, NotSent)
    assert result.reason == "a\ufffdb\ufffdc"
    with scripted([[(200, {"messages": [{"id": "wamid.\0"}]})]]) as (url, _):
        assert send(client(url, numbers), number) == Accepted("wamid.\ufffd")


def test_a_look_says_what_can_be_stored(numbers: Numbers, number: Number) -> None:
    row = {"id": number.id, "status": "CONNECTED", "quality_rating": "GR\0EEN\ud800"}
    with scripted([[(200, {"data": [row]})]]) as (url, _):
        (status,) = client(url, numbers).sessions(2).sessions
    assert status.quality == "GR\ufffdEEN\ufffd"


def test_an_answer_too_deep_to_be_read_is_none(numbers: Numbers, number: Number) -> None:
    deep = b'{"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    with answering(OK + b"Content-Length: %d\r\n\r\n" % len(deep) + deep, b"", every_s=0.1) as url:
        assert isinstance(send(client(url, numbers), number), InDoubt)


def test_an_error_of_our_own_in_one_send_is_not_the_next_ones(
    cloud: CloudBridge, number: Number, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_given: Any, **_named: Any) -> Any:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(graph_client.requests.Session, "request", broken)
        with pytest.raises(MemoryError):
            send(cloud, number)
    assert isinstance(send(cloud, number), Accepted)
