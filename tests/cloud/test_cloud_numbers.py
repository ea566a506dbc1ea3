"""How our client says that the numbers are, and what else it asks of Meta."""

from __future__ import annotations

import socket
import threading
import time
import traceback
from contextlib import suppress
from typing import Any

import pytest
from graph import BODY, Graph
from graph_accounts import Numbers, account_of, client
from graph_world import Number

from bridge.cloud.client import CloudBridge
from bridge.protocol import BridgeAwayError, BridgeRefusedError, SessionStatus

STATES = {
    "CONNECTED": ("open", True),
    "FLAGGED": ("open", True),
    "A_NEW_WORD": ("open", True),
    "RESTRICTED": ("restricted", False),
    "RATE_LIMITED": ("restricted", False),
    "BANNED": ("banned", False),
    "DISCONNECTED": ("not_connected", False),
    "PENDING": ("not_registered", False),
    "UNVERIFIED": ("not_registered", False),
    "DELETED": ("not_registered", False),
    "MIGRATED": ("not_registered", False),
}


def statuses(cloud: CloudBridge) -> dict[str, SessionStatus]:
    return {status.session: status for status in cloud.sessions(3).sessions}


@pytest.mark.parametrize("word", STATES)
def test_a_number_is_as_metas_word_for_it_says(cloud: CloudBridge, graph: Graph, number: Number, word: str) -> None:
    graph.set(number.id, status=word)
    status = statuses(cloud)[number.id]
    assert (status.state, status.can_send) == STATES[word]
    assert (status.last_error is None) is status.can_send


def test_quality_limit_and_phone_are_told(cloud: CloudBridge, graph: Graph, number: Number) -> None:
    graph.set(number.id, quality_rating="RED", messaging_limit="TIER_250")
    status = cloud.status(number.id)
    assert (status.quality, status.messaging_limit, status.phone) == ("RED", "TIER_250", f"+{number.phone}")


def test_one_question_for_each_account_and_token(cloud: CloudBridge, graph: Graph, number: Number) -> None:
    for _ in range(3):
        graph.add_number(number.business_id, token=number.token)
    graph.add_number()
    assert len(statuses(cloud)) == 5
    assert len(graph.app.requests) == 2


def test_all_pages_are_read(cloud: CloudBridge, graph: Graph, number: Number) -> None:
    graph.app.page = 2
    others = [graph.add_number(number.business_id, token=number.token).id for _ in range(4)]
    assert statuses(cloud).keys() == {number.id, *others}


def test_a_token_that_meta_refuses_takes_its_own_numbers_out_only(
    cloud: CloudBridge, graph: Graph, number: Number, numbers: Numbers
) -> None:
    other = graph.add_number()
    numbers.tokens[number.id] = "EAAG-another-token"
    found = statuses(cloud)
    assert (found[number.id].state, found[number.id].can_send) == ("token_refused", False)
    assert found[other.id].can_send


@pytest.mark.parametrize("token", ["line\nbreak", "טוקן"])
def test_a_token_that_cannot_stand_in_a_request_is_refused(
    cloud: CloudBridge, number: Number, numbers: Numbers, token: str
) -> None:
    numbers.tokens[number.id] = token
    assert statuses(cloud)[number.id].state == "token_refused"


def test_a_number_that_its_account_does_not_have(
    cloud: CloudBridge, graph: Graph, number: Number, numbers: Numbers
) -> None:
    gone = account_of(number)
    graph.add_number(number.business_id, token=number.token)
    numbers.every = lambda: [gone]  # type: ignore[method-assign]
    del graph.world.numbers[number.id]
    status = statuses(cloud)[number.id]
    assert (status.state, status.can_send) == ("not_registered", False)
    with pytest.raises(BridgeRefusedError) as refused:
        cloud.verify(gone)
    assert refused.value.code == "not_registered"


@pytest.mark.parametrize("trouble", ["http:503", "refuse:131000", "refuse:4", "refuse:100", "cut", "silence", "garble"])
def test_what_meta_does_not_tell_of_one_account_is_no_strike(
    cloud: CloudBridge, graph: Graph, number: Number, trouble: str
) -> None:
    other = graph.add_number()
    graph.trouble(number.business_id, trouble)
    roster = cloud.sessions(1)
    assert roster.unheard == {number.id}
    assert [(status.session, status.can_send) for status in roster.sessions] == [(other.id, True)]


@pytest.mark.parametrize("trouble", ["http:503", "refuse:2", "silence"])
def test_when_meta_says_nothing_at_all_it_is_away(
    cloud: CloudBridge, graph: Graph, number: Number, trouble: str
) -> None:
    graph.trouble(number.business_id, trouble)
    with pytest.raises(BridgeAwayError) as away:
        cloud.sessions(1)
    assert number.token not in "".join(traceback.format_exception(away.value))


@pytest.mark.parametrize("trouble", ["refuse:4", "refuse:100"])
def test_that_meta_refuses_to_tell_is_no_reason_to_stop(
    cloud: CloudBridge, graph: Graph, number: Number, trouble: str
) -> None:
    graph.trouble(number.business_id, trouble)
    assert cloud.sessions(1).unheard == {number.id}


def test_an_answer_that_never_ends_holds_nobody_up(cloud: CloudBridge, numbers: Numbers, number: Number) -> None:
    """Each byte comes in time, and the whole never."""
    done = threading.Event()

    def dribble() -> None:
        with listener.accept()[0] as caller, suppress(OSError):
            caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not done.wait(0.1):
                caller.sendall(b" ")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=dribble)
        thread.start()
        try:
            began = time.monotonic()
            with pytest.raises(BridgeAwayError):
                client(f"http://127.0.0.1:{listener.getsockname()[1]}", numbers).sessions(1)
            assert time.monotonic() - began < 5
        finally:
            done.set()
            thread.join()


def test_without_a_number_there_is_nobody_to_ask(graph: Graph) -> None:
    assert client(graph.url, Numbers(graph)).sessions(1).sessions == []


def test_templates_come_from_all_pages(cloud: CloudBridge, graph: Graph, number: Number) -> None:
    graph.app.page = 2
    names = [f"offer_{place}" for place in range(5)]
    for name in names:
        graph.add_template(number.business_id, name, "en", BODY)
    found = cloud.templates(account_of(number))
    assert [template["name"] for template in found] == names
    assert found[0]["components"] == BODY


def test_our_app_is_subscribed_to_an_account(cloud: CloudBridge, graph: Graph, number: Number) -> None:
    cloud.subscribe(account_of(number))
    assert graph.world.subscribed == [number.business_id]


@pytest.mark.parametrize("ask", ["verify", "subscribe", "templates"])
def test_what_meta_refuses_is_told_in_its_words(cloud: CloudBridge, graph: Graph, number: Number, ask: str) -> None:
    account: Any = account_of(number)
    for trouble, code in (
        ("refuse:190", "token_refused"),
        ("refuse:10", "token_refused"),
        ("refuse:368", "restricted"),
    ):
        graph.trouble(number.business_id, trouble)
        with pytest.raises(BridgeRefusedError) as refused:
            getattr(cloud, ask)(account)
        assert (refused.value.code, "as the fake tells it" in refused.value.reason) == (code, True)


@pytest.mark.parametrize("trouble", ["refuse:4", "refuse:1", "refuse:131000", "http:502", "cut"])
def test_when_meta_has_no_time_nothing_is_refused(
    cloud: CloudBridge, graph: Graph, number: Number, trouble: str
) -> None:
    graph.trouble(number.business_id, trouble)
    with pytest.raises(BridgeAwayError):
        cloud.templates(account_of(number))


def test_a_number_runs_by_itself(cloud: CloudBridge, number: Number) -> None:
    for verb in ("start", "restart"):
        cloud.command(number.id, verb)
    for verb in ("disconnect", "logout"):
        with pytest.raises(BridgeRefusedError) as refused:
            cloud.command(number.id, verb)
        assert (refused.value.status, refused.value.code) == (409, "not_for_cloud")
    with pytest.raises(BridgeRefusedError) as refused:
        cloud.pairing_code(number.id, "+972501234567")
    assert refused.value.code == "not_for_cloud"


@pytest.mark.parametrize("verb", ["start", "restart"])
def test_a_session_without_an_account_is_not_there(cloud: CloudBridge, verb: str) -> None:
    with pytest.raises(BridgeRefusedError) as refused:
        cloud.command("4711", verb)
    assert (refused.value.status, refused.value.code) == (404, "no_session")
