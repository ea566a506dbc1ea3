"""The ``Bridge`` protocol over both implementations: the HTTP client with the simulator behind it, and the client of the
Cloud API with the fake Graph."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from bridges import SECRET, Simulator, fresh
from graph import BODY, Graph
from graph_accounts import Numbers, client

from bridge.http_client import HttpBridge
from bridge.protocol import (
    Accepted,
    Bridge,
    BridgeAwayError,
    BridgeRefusedError,
    Content,
    File,
    InDoubt,
    KeyState,
    Media,
    NotSent,
    Outbound,
    Sent,
    Template,
    Text,
)
from local.ports import any_free_port

KINDS = [
    Text("Shalom שלום 👋 {{1}}"),
    Media("image", File("image/png", "one.png", b"\x89PNG..."), "A caption"),
    Media("video", File("video/mp4", "two.mp4", b"....ftyp"), "A caption"),
    Media("document", File("application/pdf", "three.pdf", b"%PDF-1.7"), "A caption"),
    Media("image", File("image/jpeg", "four.jpg", b"\xff\xd8\xff")),
]
_keys = count(1)  # of this file: the simulator serves the others as well


@dataclass(frozen=True)
class Line:
    """An implementation with a session that can send. ``good`` is what it says of a good send, ``received`` what a person
    was handed, as (kind, words); the endings are of numbers that are treated so."""

    bridge: Bridge
    session: str
    provider: str
    secret: str
    good: type[Sent] | type[Accepted]
    received: Callable[[str], list[tuple[str, str]]]
    away: Bridge
    refused: tuple[str, str]  # ending, our code
    lost: str  # handed over, and no answer
    throttled: str

    def send(self, to: str, content: Content, session: str | None = None) -> Any:
        return self.bridge.send(Outbound(session or self.session, f"protocol{next(_keys)}.1", to, content))


@pytest.fixture(params=["http", "cloud"])
def line(request: pytest.FixtureRequest) -> Iterator[Line]:
    if request.param == "http":
        yield _http(request.getfixturevalue("shared_simulator"))
        return
    with Graph() as graph:
        yield _cloud(graph)


def _http(simulator: Simulator) -> Line:
    def client_of(url: str) -> HttpBridge:
        return HttpBridge(url, SECRET, send_limit_s=5, http_timeout_s=7)

    def received(to: str) -> list[tuple[str, str]]:
        return [(each["kind"], each["text"]) for each in simulator.bridge.received(to)]

    return Line(
        bridge=client_of(simulator.bridge.url),
        session=simulator.bridge.new_session(),
        provider="simulator",
        secret=SECRET,
        good=Sent,
        received=received,
        away=client_of(f"http://127.0.0.1:{any_free_port()}"),
        refused=("99001", "not_on_whatsapp"),
        lost="99013",
        throttled="99008",
    )


def _cloud(graph: Graph) -> Line:
    number = graph.add_number()
    graph.add_template(number.business_id, "offer", "en", BODY)
    numbers = Numbers(graph)

    def received(to: str) -> list[tuple[str, str]]:
        return [_words(each.payload) for each in graph.to(to) if each.wamid is not None]

    return Line(
        bridge=client(graph.url, numbers),
        session=number.id,
        provider="cloud",
        secret=number.token,
        good=Accepted,
        received=received,
        away=client(f"http://127.0.0.1:{any_free_port()}", numbers),
        refused=("9131026", "undeliverable"),
        lost="7000445",
        throttled="9130429",
    )


def _words(payload: dict[str, Any]) -> tuple[str, str]:
    content = payload[payload["type"]]
    return payload["type"], content.get("body") or content.get("caption", "")


def person(ending: str | None = None) -> str:
    """The address of a person whom no other test writes to."""
    return fresh(ending) if ending is None or len(ending) == 5 else f"97250{ending}@s.whatsapp.net"


@pytest.mark.parametrize("content", KINDS, ids=lambda content: getattr(content, "kind", "text"))
def test_what_is_sent_is_what_the_person_gets(line: Line, content: Text | Media) -> None:
    to = person()
    result = line.send(to, content)
    assert isinstance(result, line.good)
    assert result.provider_message_id
    wanted = ("text", content.body) if isinstance(content, Text) else (content.kind, content.caption)
    assert line.received(to) == [wanted]


def test_a_template_is_for_numbers_of_the_cloud_api_only(line: Line) -> None:
    to = person()
    values = ({"type": "body", "parameters": [{"type": "text", "text": "Dana"}]},)
    result = line.send(to, Template("offer", "en", values))
    if line.provider == "cloud":
        assert isinstance(result, Accepted)
        assert [kind for kind, _ in line.received(to)] == ["template"]
    else:
        assert isinstance(result, NotSent)
        assert (result.code, line.received(to)) == ("not_a_cloud_number", [])


def test_a_refusal_is_known_not_to_have_sent(line: Line) -> None:
    ending, code = line.refused
    to = person(ending)
    result = line.send(to, Text("Hello"))
    assert isinstance(result, NotSent)
    assert (result.code, result.proof, result.retryable) == (code, "answer", False)
    assert line.received(to) == []


def test_an_answer_that_is_lost_leaves_a_doubt(line: Line) -> None:
    """Final where nobody can be asked about it any more."""
    to = person(line.lost)
    result = line.send(to, Text("Hello"))
    assert isinstance(result, InDoubt)
    assert result.final is (line.provider == "cloud")
    assert line.received(to) == [("text", "Hello")]


def test_the_next_send_after_a_doubt_is_good(line: Line) -> None:
    line.send(person(line.lost), Text("Hello"))
    assert isinstance(line.send(person(), Text("Hello")), line.good)


def test_throttling_says_how_long_to_wait(line: Line) -> None:
    to = person(line.throttled)
    result = line.send(to, Text("Hello"))
    assert isinstance(result, NotSent)
    assert (result.code, result.retryable) == ("throttled", True)
    assert result.retry_after_s is not None
    assert result.retry_after_s > 0
    assert line.received(to) == []


def test_nothing_was_sent_where_nobody_listens(line: Line) -> None:
    result = line.away.send(Outbound(line.session, "1.1", person(), Text("Hello")))
    assert isinstance(result, NotSent)
    assert (result.code, result.proof, result.retryable) == ("bridge_unreachable", "refused", True)


def test_a_session_that_nobody_knows_sends_nothing(line: Line) -> None:
    to = person()
    result = line.send(to, Text("Hello"), session="4711")
    assert isinstance(result, NotSent)
    assert (result.code, result.retryable) == ("no_session", True)
    assert line.received(to) == []


def test_many_at_once_get_each_their_own_answer(line: Line, pool: ThreadPoolExecutor) -> None:
    people = [person() for _ in range(60)]
    results = list(pool.map(lambda to: line.send(to, Text(to)), people))
    assert len({result.provider_message_id for result in results}) == len(people)
    assert [line.received(to) for to in people] == [[("text", to)] for to in people]


def test_the_roster_has_the_session_as_its_status_does(line: Line) -> None:
    roster = line.bridge.sessions(5)
    ours = [status for status in roster.sessions if status.session == line.session]
    assert roster.provider == line.provider
    assert [(status.can_send, status.connected, status.state) for status in ours] == [(True, True, "open")]
    assert line.bridge.status(line.session).phone == ours[0].phone
    assert ours[0].phone is not None
    assert ours[0].phone.startswith("+")


def test_no_close_of_what_went_out_proves_that_it_did_not(line: Line) -> None:
    for to in (person(), person(line.lost)):
        key = f"protocol{next(_keys)}.1"
        line.bridge.send(Outbound(line.session, key, to, Text("Hello")))
        closed = line.bridge.close(line.session, key)
        assert closed.state not in (KeyState.CLOSED, KeyState.FAILED)


def test_a_bridge_that_is_away_says_so_to_every_question(line: Line) -> None:
    for ask in (
        lambda: line.away.sessions(1),
        lambda: line.away.status(line.session),
        lambda: line.away.command(line.session, "start"),
    ):
        with pytest.raises(BridgeAwayError):
            ask()


def test_there_is_no_qr_code_of_what_is_linked(line: Line) -> None:
    with pytest.raises(BridgeRefusedError) as refused:
        line.bridge.qr(line.session)
    assert (refused.value.status, refused.value.code) == (404, "no_qr")


def test_nothing_that_is_told_has_the_secret(line: Line) -> None:
    told = [repr(line.bridge), repr(line.send(person(line.lost), Text("Hello")))]
    with pytest.raises(BridgeAwayError) as away:
        line.away.sessions(1)
    told += [repr(away.value), "".join(traceback.format_exception(away.value))]
    assert not any(line.secret in words for words in told)
