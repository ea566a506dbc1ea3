"""What our client concludes from Meta's answers: every code of the table, and answers that are none."""

from __future__ import annotations

from typing import Any

import pytest
from graph import Graph
from graph_errors import ERRORS
from graph_world import Number

from bridge.cloud.answers import conclude
from bridge.cloud.client import CloudBridge
from bridge.cloud.graph import Answer, NoAnswer
from bridge.protocol import Accepted, InDoubt, NotSent, Outbound, Text
from domain.cloud_codes import MEANINGS
from domain.failures import FAILURES

TO = "972501234567"
TOKEN = "EAAG-a-token"

# Meta's code: ours. What waits, and for how long at least, if Meta does not say.
WAITING = {4: 60.0, 80007: 60.0, 130429: 1.0, 131056: 6.0}
OF_THE_NUMBER = {
    **dict.fromkeys((0, 3, 10, 190, 200, 131005), "token_refused"),
    **dict.fromkeys((368, 131031, 131048), "restricted"),
    131042: "payment_missing",
    **dict.fromkeys((33, 131037, 131045, 133010), "not_registered"),
}
OF_THE_PERSON = {
    131021: "invalid_recipient",
    131026: "undeliverable",
    131030: "not_a_test_recipient",
    131047: "outside_window",
    131049: "marketing_limit",
    130472: "marketing_limit",
    131050: "opted_out",
}
OF_THE_MESSAGE = {
    **dict.fromkeys((100, 131008, 131009, 131051), "message_refused"),
    **dict.fromkeys((131052, 131053), "unsupported_media"),
    **dict.fromkeys((132000, 132005, 132012, 132018), "template_values"),
    132001: "template_missing",
    **dict.fromkeys((132007, 132015, 132016, 132068, 132069), "template_refused"),
}
OF_META = {1, 2, 131000, 131016, 131057, 133004}


def send(cloud: CloudBridge, number: Number, to: str) -> Any:
    return cloud.send(Outbound(number.id, "1.1", f"{to}@s.whatsapp.net", Text("Hello")))


def refused(cloud: CloudBridge, graph: Graph, number: Number, code: int) -> Any:
    graph.behave(TO, f"refuse:{code}")
    return send(cloud, number, TO)


def test_the_tables_here_and_the_fake_have_every_code() -> None:
    here = [*WAITING, *OF_THE_NUMBER, *OF_THE_PERSON, *OF_THE_MESSAGE, *OF_META]
    assert sorted(here) == sorted(MEANINGS) == sorted(ERRORS)
    assert all(meaning.code in FAILURES for meaning in MEANINGS.values())


@pytest.mark.parametrize("code", WAITING)
def test_too_fast_is_not_sent_and_waits(cloud: CloudBridge, graph: Graph, number: Number, code: int) -> None:
    result = refused(cloud, graph, number, code)
    assert isinstance(result, NotSent)
    assert result.code == ("pair_limit" if code == 131056 else "throttled")
    assert (result.proof, result.retryable, result.retry_after_s) == ("answer", True, WAITING[code])


@pytest.mark.parametrize("code", OF_THE_NUMBER)
def test_what_is_wrong_with_the_number_is_not_sent_whatever_the_status(
    cloud: CloudBridge, graph: Graph, number: Number, code: int
) -> None:
    """Two of these have 500: in doubt they would put a whole campaign there."""
    result = refused(cloud, graph, number, code)
    assert isinstance(result, NotSent)
    assert (result.code, result.proof, result.retryable) == (OF_THE_NUMBER[code], "answer", True)


@pytest.mark.parametrize("code", [*OF_THE_PERSON, *OF_THE_MESSAGE])
def test_what_is_wrong_with_the_person_or_the_message_is_not_sent(
    cloud: CloudBridge, graph: Graph, number: Number, code: int
) -> None:
    result = refused(cloud, graph, number, code)
    assert isinstance(result, NotSent)
    assert (result.code, result.proof, result.retryable) == (
        (OF_THE_PERSON | OF_THE_MESSAGE)[code],
        "answer",
        False,
    )


@pytest.mark.parametrize("code", sorted(OF_META))
def test_a_fault_of_metas_leaves_a_doubt_whatever_its_status(
    cloud: CloudBridge, graph: Graph, number: Number, code: int
) -> None:
    result = refused(cloud, graph, number, code)
    assert isinstance(result, InDoubt)
    assert result.final


def test_metas_own_time_out_leaves_a_doubt() -> None:
    told = Answer(408, {"error": {"message": "Timed out", "code": 100}})
    assert conclude(told, TO, TOKEN) == InDoubt("provider_error", "Timed out", final=True)


def test_a_number_that_the_token_does_not_see_is_not_the_messages_fault() -> None:
    told = Answer(400, {"error": {"message": "Unsupported post request", "code": 100, "error_subcode": 33}})
    result = conclude(told, TO, TOKEN)
    assert isinstance(result, NotSent)
    assert (result.code, result.retryable) == ("not_registered", True)


def test_a_code_that_is_new_was_not_sent_and_is_not_tried_again() -> None:
    result = conclude(Answer(400, {"error": {"message": "New", "code": 999_999}}), TO, TOKEN)
    assert result == NotSent("provider_error", "New", "answer", retryable=False)


def test_how_long_to_wait_metas_header_knows_best() -> None:
    told = Answer(429, {"error": {"message": "Slow down", "code": 130429}}, retry_after_s=17.0)
    assert conclude(told, TO, TOKEN) == NotSent("throttled", "Slow down", "answer", retryable=True, retry_after_s=17.0)


@pytest.mark.parametrize(("told", "waits"), [(0.0, 60.0), (999_999.0, 3600.0)])
def test_no_header_makes_a_number_hurry_or_wait_for_days(told: float, waits: float) -> None:
    result = conclude(Answer(429, {"error": {"message": "Slow down", "code": 4}}, retry_after_s=told), TO, TOKEN)
    assert isinstance(result, NotSent)
    assert result.retry_after_s == waits


TAKEN = {"contacts": [{"input": TO, "wa_id": TO}], "messages": [{"id": "wamid.1"}]}
IN_DOUBT = {
    "no answer": NoAnswer(True, False, "ConnectionError"),
    "too late an answer": NoAnswer(True, True, "ReadTimeout"),
    "200 that is no JSON": Answer(200, {}),
    "200 without an id": Answer(200, {"messages": [{}]}),
    "200 with an empty list": Answer(200, {"messages": []}),
    "200 with something else for messages": Answer(200, {"messages": "soon"}),
    "200 with an id that is no text": Answer(200, {"messages": [{"id": 7}]}),
    "200 with contacts that are none": Answer(200, {**TAKEN, "contacts": ["me"]}),
    "another message's answer": Answer(200, {**TAKEN, "contacts": [{"input": "972501234568"}]}),
    "202": Answer(202, TAKEN),
    "a redirect": Answer(302, {}),
    "401 of a proxy": Answer(401, {}),
    "404 of a proxy": Answer(404, {"error": "no such page"}),
    "413 of a proxy": Answer(413, {}),
    "429 of a proxy": Answer(429, {}),
    "400 with a code that is no number": Answer(400, {"error": {"code": "190", "message": "?"}}),
    "400 with a code that is true": Answer(400, {"error": {"code": True, "message": "?"}}),
    "500": Answer(500, {}),
    "503 in Meta's words": Answer(503, {"error": {"code": 131016, "message": "Service unavailable"}}),
    "500 with a code of the person": Answer(500, {"error": {"code": 131026, "message": "?"}}),
    "200 with an error": Answer(200, {"error": {"code": 131026, "message": "?"}}),
}


@pytest.mark.parametrize("answer", IN_DOUBT)
def test_it_may_have_gone_out_and_nobody_can_be_asked(answer: str) -> None:
    result = conclude(IN_DOUBT[answer], TO, TOKEN)
    assert isinstance(result, InDoubt)
    assert result.final
    assert result.code in FAILURES


@pytest.mark.parametrize(
    "body", [TAKEN, {"messages": [{"id": "wamid.1"}]}, {**TAKEN, "contacts": [{"input": f"+{TO}"}]}]
)
def test_what_meta_has_taken_is_accepted(body: dict[str, Any]) -> None:
    assert conclude(Answer(200, body), TO, TOKEN) == Accepted("wamid.1")


def test_what_could_not_be_written_was_not_sent() -> None:
    result = conclude(NoAnswer(False, False, "ConnectTimeout"), TO, TOKEN)
    assert result == NotSent("bridge_unreachable", "Meta does not answer", "refused", retryable=True)


def test_metas_words_are_kept_without_the_token_and_the_number() -> None:
    words = f"Malformed access token {TOKEN}, to +{TO}"
    result = conclude(Answer(401, {"error": {"code": 190, "message": words}}), TO, TOKEN)
    assert isinstance(result, NotSent)
    assert result.reason.startswith("Malformed access token")
    assert TOKEN not in result.reason
    assert TO not in result.reason


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "טוקן"])
def test_a_token_that_cannot_stand_in_a_request_sends_nothing(
    cloud: CloudBridge, graph: Graph, number: Number, numbers: Any, token: str
) -> None:
    numbers.tokens[number.id] = token
    result = send(cloud, number, TO)
    assert isinstance(result, NotSent)
    assert (result.code, result.proof, result.retryable) == ("token_refused", "refused", True)
    assert graph.received == []
