"""Where CLOUD_TOKEN_KEY is not set there is no Cloud API, and whoever asks is told so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from graph import Graph
from graph_accounts import Numbers
from graph_world import Number

from bridge.cloud.client import CloudBridge
from bridge.directory import CLOUD, DEFAULT, Directory
from bridge.protocol import Bridge, BridgeRefusedError, KeyState, NotSent, Outbound, Roster, Text
from domain.failures import NOT_YET_CODES


@pytest.fixture
def absent() -> Iterator[Directory]:
    directory = Directory("http://127.0.0.1:1", "a secret", send_limit_s=5, http_timeout_s=7)
    yield directory
    directory.close()


def test_its_client_is_found_where_there_is_one(cloud: CloudBridge) -> None:
    directory = Directory("http://127.0.0.1:1", "a secret", send_limit_s=5, http_timeout_s=7, cloud=cloud)
    assert directory.at(CLOUD) is cloud
    assert directory.look([CLOUD]) == {CLOUD: Roster("cloud", [])}
    directory.close()


MESSAGE = Outbound("1055", "1.1", "972501234567@s.whatsapp.net", Text("Hello"))


def test_nothing_is_sent_and_the_reason_names_the_setting(absent: Directory, caplog: pytest.LogCaptureFixture) -> None:
    """It waits, and nobody is called away: another worker may have the key."""
    results = [absent.at(CLOUD).send(MESSAGE) for _ in range(3)]
    assert results == 3 * [results[0]]
    assert isinstance(results[0], NotSent)
    assert (results[0].code, results[0].proof, results[0].retryable) == ("token_unopened", "refused", True)
    assert results[0].code in NOT_YET_CODES
    assert results[0].retry_after_s == 5.0
    assert "CLOUD_TOKEN_KEY" in results[0].reason
    assert [record.levelname for record in caplog.records] == ["ERROR"]  # once a minute


def test_it_is_not_looked_at(absent: Directory, cloud: CloudBridge) -> None:
    assert not absent.reaches(CLOUD)
    assert absent.reaches(DEFAULT)
    assert absent.look([CLOUD]) == {}
    assert Directory("http://127.0.0.1:1", "a secret", send_limit_s=5, http_timeout_s=7, cloud=cloud).reaches(CLOUD)


def test_every_question_is_refused(absent: Directory) -> None:
    bridge: Bridge = absent.at(CLOUD)
    for ask in (
        lambda: bridge.sessions(1),
        lambda: bridge.status("1055"),
        lambda: bridge.qr("1055"),
        lambda: bridge.pairing_code("1055", "+972501234567"),
        lambda: bridge.command("1055", "start"),
    ):
        with pytest.raises(BridgeRefusedError, match="CLOUD_TOKEN_KEY") as refused:
            ask()
        assert refused.value.code == "token_unopened"
    assert bridge.close("1055", "1.1").state is KeyState.DISPATCHING  # Meta has no ledger: it proves nothing


def test_a_number_whose_token_does_not_open_is_left_as_it_is(
    cloud: CloudBridge, graph: Graph, number: Number, numbers: Numbers
) -> None:
    """This process has another key; the number's next message may be taken by one that has the right one."""
    other = graph.add_number()
    numbers.tokens[number.id] = ""
    result = cloud.send(replace(MESSAGE, session=number.id))
    assert isinstance(result, NotSent)
    assert (result.code, result.retry_after_s) == ("token_unopened", 5.0)
    roster = cloud.sessions(2)
    assert [status.session for status in roster.sessions] == [other.id]
    assert roster.unheard == {number.id}
    numbers.tokens[other.id] = ""
    assert cloud.sessions(2) == Roster("cloud", [], frozenset({number.id, other.id}))
    with pytest.raises(BridgeRefusedError) as refused:
        cloud.status(number.id)
    assert refused.value.code == "token_unopened"
    assert graph.received == []
