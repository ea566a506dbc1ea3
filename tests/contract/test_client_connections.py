"""Which connection our client uses again: an answer that comes late, twice or to somebody else is nobody's answer."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import pytest
from scripted import Answer
from scripted import scripted as server
from waiting import until

from bridge.http_client import HttpBridge
from bridge.protocol import InDoubt, KeyState, NotSent, Outbound, Sent, Text
from settings import Settings

KEY_STATE = {
    "message_id": None,
    "error": None,
    "updated_at": "2026-11-01T10:00:00Z",
    "ledger_since": "2026-10-01T10:00:00Z",
}


@contextmanager
def scripted(script: Sequence[Sequence[Answer]]) -> Iterator[tuple[HttpBridge, list[list[str]]]]:
    """A bridge's client for a server of this script, and what each connection was asked."""
    with server(script) as (url, asked):
        yield HttpBridge(url, "secret", send_limit_s=5, http_timeout_s=7), asked


def sent(key: str) -> Answer:
    return 200, {"status": "sent", "key": key, "message_id": f"id of {key}", "duplicate": False, "duration_ms": 1}


def outbound(key: str) -> Outbound:
    return Outbound("device1", key, "972501234567@s.whatsapp.net", Text("Hello"))


def test_a_connection_is_kept_from_one_good_answer_to_the_next() -> None:
    with scripted([[sent("1.1"), sent("2.1")]]) as (bridge, asked):
        assert [bridge.send(outbound(key)) for key in ("1.1", "2.1")] == [
            Sent("id of 1.1", 0.001),
            Sent("id of 2.1", 0.001),
        ]
    assert [len(requests) for requests in asked] == [2]


def test_an_answer_that_names_another_message_is_in_doubt_and_the_last_of_its_connection() -> None:
    with scripted([[sent("1.1"), sent("1.1"), sent("2.1")], [sent("3.1")]]) as (bridge, _):
        results = [bridge.send(outbound(key)) for key in ("1.1", "2.1", "3.1")]
    assert [type(result) for result in results] == [Sent, InDoubt, Sent]


@pytest.mark.parametrize(
    ("error", "concluded"),
    [
        ((503, {"error": "not_connected", "outcome": "not_sent", "retryable": True}), NotSent),
        ((409, {"error": "key_closed"}), NotSent),
        ((401, {"error": "unauthorized"}), NotSent),
        ((404, {"error": "no_session"}), NotSent),
        ((504, {"error": "send_timeout", "outcome": "unknown"}), InDoubt),
        ((200, {"status": "sent", "key": "1.1", "message_id": "id", "duration_ms": "soon"}), InDoubt),
    ],
)
def test_an_answer_that_is_repeated_is_not_the_answer_for_the_next_message(error: Answer, concluded: type) -> None:
    with scripted([[error, error], [sent("2.1")]]) as (bridge, _):
        results = [bridge.send(outbound(key)) for key in ("1.1", "2.1")]
    assert [type(result) for result in results] == [concluded, Sent]


def test_a_key_is_closed_on_a_connection_of_its_own() -> None:
    """A late *closed* of another key, read as this one's, would prove that what was sent was not."""
    stale = (200, {"state": "closed", **KEY_STATE})
    with scripted([[sent("1.1"), stale], [(200, {"state": "dispatching", **KEY_STATE}), stale], [stale]]) as (
        bridge,
        asked,
    ):
        assert isinstance(bridge.send(outbound("1.1")), Sent)
        states = [bridge.close("device1", key).state for key in ("2.1", "3.1")]
    assert states == [KeyState.DISPATCHING, KeyState.CLOSED]
    assert [len(requests) for requests in asked] == [1, 1, 1]


def test_a_bridge_that_takes_no_connection_is_given_up_before_the_mutex_is_over() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, ExitStack() as callers:
        until(lambda: not _takes(full, callers), "its backlog is full")
        address = f"http://127.0.0.1:{full.getsockname()[1]}"
        settings = Settings(send_limit_s=1)
        bridge = HttpBridge(address, "secret", send_limit_s=1, http_timeout_s=settings.http_timeout_s)
        began = time.monotonic()
        result = bridge.send(outbound("1.1"))
        took_s = time.monotonic() - began
    assert isinstance(result, NotSent)
    assert took_s + settings.http_timeout_s < settings.mutex_s


def _takes(server: socket.socket, callers: ExitStack) -> bool:
    """Whether it takes one more connection at once."""
    caller = callers.enter_context(socket.socket())
    caller.settimeout(0.05)
    return caller.connect_ex(server.getsockname()) == 0
