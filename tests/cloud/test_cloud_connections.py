"""Which connection our client of Meta uses again, and where a token goes."""

from __future__ import annotations

import logging
import socket
from typing import Any

import pytest
from graph import Graph
from graph_accounts import Numbers, client
from graph_world import Number
from scripted import Answer, scripted

from bridge.cloud import graph as graph_client
from bridge.cloud.client import CloudBridge
from bridge.protocol import Accepted, BridgeAwayError, InDoubt, NotSent, Outbound, Text
from local.ports import any_free_port

TO = "972501234567"
REFUSED: Answer = (400, {"error": {"code": 131026, "message": "Undeliverable"}})
FAULT: Answer = (500, {"error": {"code": 131000, "message": "Something went wrong"}})
STRANGE: Answer = (200, {"messages": []})


def taken(place: int, to: str = TO) -> Answer:
    return 200, {"contacts": [{"input": to, "wa_id": to}], "messages": [{"id": f"wamid.{place}"}]}


def send(cloud: CloudBridge, number: Number, key: str, to: str = TO) -> Any:
    return cloud.send(Outbound(number.id, key, f"{to}@s.whatsapp.net", Text("Hello")))


def test_a_connection_is_kept_from_one_good_answer_to_the_next(numbers: Numbers, number: Number) -> None:
    with scripted([[taken(1), taken(2)]]) as (url, asked):
        cloud = client(url, numbers)
        assert [send(cloud, number, key) for key in ("1.1", "2.1")] == [Accepted("wamid.1"), Accepted("wamid.2")]
    assert [len(requests) for requests in asked] == [2]


@pytest.mark.parametrize(("error", "concluded"), [(REFUSED, NotSent), (FAULT, InDoubt), (STRANGE, InDoubt)])
def test_an_answer_that_is_repeated_is_not_the_answer_for_the_next_message(
    numbers: Numbers, number: Number, error: Answer, concluded: type
) -> None:
    with scripted([[error, error], [taken(2)]]) as (url, _):
        cloud = client(url, numbers)
        results = [send(cloud, number, key) for key in ("1.1", "2.1")]
    assert [type(result) for result in results] == [concluded, Accepted]


def test_an_answer_that_names_another_person_is_in_doubt_and_the_last_of_its_connection(
    numbers: Numbers, number: Number
) -> None:
    with scripted([[taken(1), taken(1), taken(2)], [taken(3)]]) as (url, _):
        cloud = client(url, numbers)
        results = [send(cloud, number, key, to) for key, to in (("1.1", TO), ("2.1", "972501234568"), ("3.1", TO))]
    assert [type(result) for result in results] == [Accepted, InDoubt, Accepted]


def test_a_connection_that_was_idle_is_not_used_again(
    numbers: Numbers, number: Number, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other end may be closing it just now, and the send would be in doubt."""
    monkeypatch.setattr(graph_client, "IDLE_S", 0.0)
    with scripted([[taken(1), taken(0)], [taken(2)]]) as (url, asked):
        cloud = client(url, numbers)
        assert [send(cloud, number, key) for key in ("1.1", "2.1")] == [Accepted("wamid.1"), Accepted("wamid.2")]
    assert [len(requests) for requests in asked] == [1, 1]


def test_no_redirect_is_followed(graph: Graph, numbers: Numbers, number: Number) -> None:
    """Neither the message nor the token is for where it leads."""
    with scripted([[(307, {})], [(307, {})]], f"Location: {graph.url}/v24.0/{number.id}/messages\r\n") as (url, _):
        cloud = client(url, numbers)
        assert isinstance(send(cloud, number, "1.1"), InDoubt)
        with pytest.raises(BridgeAwayError):
            cloud.sessions(2)
    assert (graph.received, graph.app.requests) == ([], [])


def test_a_list_is_read_on_where_it_was_asked_for(graph: Graph, numbers: Numbers, number: Number) -> None:
    """Whatever address the answer names: a token is for ours."""
    more = {"next": f"{graph.url}/v24.0/elsewhere", "cursors": {"after": "here"}}
    with scripted([[(200, {"data": [], "paging": more})], [(200, {"data": []})]]) as (url, asked):
        client(url, numbers).sessions(2)
    assert graph.app.requests == []
    first, second = asked[0][0], asked[1][0]
    assert second == f"{first}&after=here"


@pytest.mark.parametrize("cursors", [None, 5, {}, {"after": ""}, {"after": 7}])
def test_a_list_that_goes_on_nowhere_is_no_answer(numbers: Numbers, number: Number, cursors: Any) -> None:
    paging = {"next": "https://graph.facebook.com/", "cursors": cursors}
    with scripted([[(200, {"data": [], "paging": paging})]]) as (url, _), pytest.raises(BridgeAwayError):
        client(url, numbers).sessions(2)


def test_the_environments_proxy_is_not_used(
    cloud: CloudBridge, number: Number, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{any_free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    assert isinstance(send(cloud, number, "1.1"), Accepted)


def test_a_server_that_takes_no_connection_is_given_up_before_the_mutex_is_over(
    numbers: Numbers, number: Number
) -> None:
    address = f"http://127.0.0.1:{any_free_port()}"
    assert isinstance(send(client(address, numbers), number, "1.1"), NotSent)


def test_an_answer_that_comes_too_late_leaves_a_doubt(numbers: Numbers, number: Number) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        cloud = client(f"http://127.0.0.1:{silent.getsockname()[1]}", numbers, send_limit_s=1)
        assert send(cloud, number, "1.1") == InDoubt("send_timeout", "ReadTimeout", final=True)


def test_neither_token_nor_number_is_logged(
    cloud: CloudBridge, graph: Graph, number: Number, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    graph.behave(TO, "accept", "refuse:190", "http:500", "cut")
    for key in ("1.1", "1.2", "1.3", "1.4"):
        send(cloud, number, key)
    cloud.sessions(2)
    told = " ".join(record.getMessage() for record in caplog.records)
    assert "/messages" in told
    assert number.token not in told
    assert TO not in told
