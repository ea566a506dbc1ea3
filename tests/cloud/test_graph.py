"""The fake Graph itself: what others' tests rely on."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import graph_payloads
import pytest
import requests
from graph import APP_SECRET, BODY, Graph
from graph_behaviours import by_ending, ending, read
from graph_world import Number
from waiting import until

TO = "972501234567"


class Receiver:
    """Takes webhooks: ``answers`` are given first, one a post, and then 200."""

    def __init__(self) -> None:
        self.posts: list[dict[str, Any]] = []
        self.answers: list[int] = []
        self.unsigned = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(receiver.take(body, self.headers["X-Hub-Signature-256"]))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def take(self, body: bytes, signature: str) -> int:
        if signature != "sha256=" + hmac.new(APP_SECRET.encode(), body, hashlib.sha256).hexdigest():
            self.unsigned += 1
        answer = self.answers.pop(0) if self.answers else 200
        if answer == 200:
            self.posts.append(json.loads(body))
        return answer

    def values(self, field: str = "messages") -> list[dict[str, Any]]:
        changes = [one for post in self.posts for entry in post["entry"] for one in entry["changes"]]
        return [one["value"] for one in changes if one["field"] == field]

    def statuses(self) -> list[str]:
        return [status["status"] for value in self.values() for status in value.get("statuses", [])]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def receiver(graph: Graph) -> Iterator[Receiver]:
    receiver = Receiver()
    graph.webhooks.url = receiver.url
    yield receiver
    graph.webhooks.close()
    receiver.close()


def send(graph: Graph, number: Number, to: str = TO, **payload: Any) -> requests.Response:
    body = {"messaging_product": "whatsapp", "to": to, "type": "text", "text": {"body": "Hello"}, **payload}
    return requests.post(
        f"{graph.url}/v24.0/{number.id}/messages",
        json=body,
        headers={"Authorization": f"Bearer {number.token}"},
        timeout=5,
    )


def test_what_is_taken_is_told_of_by_signed_webhooks(graph: Graph, number: Number, receiver: Receiver) -> None:
    answer = send(graph, number, biz_opaque_callback_data="7.1").json()
    until(lambda: sorted(receiver.statuses()) == ["delivered", "read", "sent"], "all three came")
    value = receiver.values()[0]
    assert value["metadata"]["phone_number_id"] == number.id
    status = value["statuses"][0]
    assert (status["id"], status["biz_opaque_callback_data"]) == (answer["messages"][0]["id"], "7.1")
    assert (status["recipient_id"], receiver.unsigned) == (TO, 0)


def test_webhooks_are_posted_until_they_are_taken(graph: Graph, number: Number, receiver: Receiver) -> None:
    graph.statuses = (("sent", 0.0),)
    receiver.answers = [503, 500, 404]
    send(graph, number)
    until(lambda: receiver.statuses() == ["sent"], "it came at last")
    until(lambda: graph.webhooks.waiting == 0, "nothing waits")
    assert [post.status for post in graph.webhooks.posts] == [503, 500, 404, 200]


def test_webhooks_can_be_held_back_and_repeated(graph: Graph, number: Number, receiver: Receiver) -> None:
    graph.statuses = (("sent", 0.0),)
    graph.webhooks.repeats = 2
    graph.webhooks.pause()
    send(graph, number)
    assert graph.webhooks.waiting == 1
    assert receiver.posts == []
    graph.webhooks.resume()
    until(lambda: receiver.statuses() == ["sent"] * 3, "each came three times")


def test_webhooks_come_in_disorder(graph: Graph, number: Number, receiver: Receiver) -> None:
    graph.statuses = tuple((word, 0.0) for word in ("sent", "delivered", "read") * 5)
    graph.webhooks.disorder_s = 0.2
    send(graph, number)
    until(lambda: len(receiver.statuses()) == 15, "all came")
    assert receiver.statuses() != ["sent", "delivered", "read"] * 5


def test_a_failure_comes_by_webhook(graph: Graph, number: Number, receiver: Receiver) -> None:
    assert send(graph, number, f"97250{ending('fail:131049')}").ok
    until(lambda: receiver.statuses() == ["failed"], "it failed")
    assert receiver.values()[0]["statuses"][0]["errors"][0]["code"] == 131049


def test_people_and_meta_speak(graph: Graph, number: Number, receiver: Receiver) -> None:
    graph.write(number.id, f"+{TO}", "Hi")
    graph.write(number.id, TO, message=graph_payloads.BUTTON)
    graph.wants(number.id, TO)
    graph.account(number.business_id, "account_update", graph_payloads.RESTRICTION)
    until(lambda: graph.webhooks.waiting == 0, "all was posted")
    kinds = [message["type"] for value in receiver.values() for message in value["messages"]]
    assert sorted(kinds) == ["button", "text"]
    assert receiver.values("user_preferences")[0]["user_preferences"][0]["value"] == "stop"
    assert receiver.values("account_update")[0]["event"] == "ACCOUNT_RESTRICTION"


@pytest.mark.parametrize("window", ["answer", "webhook"])
def test_free_text_needs_an_open_window(graph: Graph, number: Number, receiver: Receiver, window: str) -> None:
    graph.limit(window=window)
    answer = send(graph, number)
    if window == "answer":
        assert answer.json()["error"]["code"] == 131047
    else:
        until(lambda: receiver.statuses() == ["failed"], "it failed")
    graph.write(number.id, TO)
    assert send(graph, number).ok


def test_the_limits_hold(graph: Graph, number: Number) -> None:
    graph.limit(pair_gap_s=60, per_second=3)
    people = [f"97250000000{place}" for place in (1, 1, 2, 3, 4)]
    codes = [send(graph, number, to).json().get("error", {}).get("code") for to in people]
    assert codes == [None, 131056, None, None, 130429]


def test_one_behaviour_after_another(graph: Graph, number: Number) -> None:
    graph.behave(TO, "refuse:131056", "http:502", "accept")
    assert [send(graph, number).status_code for _ in range(4)] == [429, 502, 200, 200]
    assert [received.error for received in graph.to(TO)] == [131056, None, None, None]
    assert len(graph.taken()) == 2


@pytest.mark.parametrize(
    "written",
    ["quiet", "silence", "lost_silence", "cut", "lose", "garble", "http:503", "refuse:190", "fail:131026"],
)
def test_the_ending_of_a_behaviour_has_it(written: str) -> None:
    assert by_ending(f"97250{ending(written)}") == read(written)


def test_values_must_fit_their_template(graph: Graph, number: Number) -> None:
    graph.add_template(number.business_id, "offer", "en", BODY)

    def code(*texts: str, name: str = "offer", language: str = "en") -> int | None:
        parameters = [{"type": "text", "text": text} for text in texts]
        components = [{"type": "body", "parameters": parameters}]
        template = {"name": name, "language": {"code": language}, "components": components}
        told = send(graph, number, type="template", template=template).json()
        return None if "error" not in told else int(told["error"]["code"])

    assert code("Dana") is None
    assert code() == code("Dana", "Levi") == 132000
    assert code("Dana", language="he") == code("Dana", name="other") == 132001
    assert code("Dana\nLevi") == 132018
    assert code("") == 131008
    graph.world.templates[number.business_id][0]["status"] = "PAUSED"
    assert code("Dana") == 132015


def test_each_number_has_its_token(graph: Graph, number: Number) -> None:
    other = graph.add_number()
    number.token, other.token = other.token, number.token
    assert send(graph, number).ok
    number.token = "EAAG-stolen"
    send_as = {"Authorization": f"Bearer {other.token}"}
    told = requests.post(f"{graph.url}/v24.0/{number.id}/messages", json={}, headers=send_as, timeout=5).json()
    assert (told["error"]["code"], told["error"]["error_subcode"]) == (100, 33)
    assert requests.get(f"{graph.url}/v24.0/{number.id}", timeout=5).json()["error"]["code"] == 190


def test_it_runs_as_a_process_and_is_told_what_to_do() -> None:
    fake = subprocess.Popen(
        [sys.executable, str(Path(__file__).parent / "graph.py"), "--numbers", "2"], stdout=subprocess.PIPE, text=True
    )
    assert fake.stdout is not None
    try:
        told = json.loads(fake.stdout.readline())
        number = told["numbers"][0]
        control = f"{told['url']}/_control"
        requests.post(f"{control}/limit", json={"kwargs": {"pair_gap_s": 60}}, timeout=5)
        path = f"{told['url']}/v24.0/{number['id']}/messages"
        body = {"messaging_product": "whatsapp", "to": TO, "type": "text", "text": {"body": "Hello"}}
        headers = {"Authorization": f"Bearer {number['token']}"}
        assert [requests.post(path, json=body, headers=headers, timeout=5).status_code for _ in range(2)] == [200, 429]
        received = requests.post(f"{control}/to", json={"args": [TO]}, timeout=5).json()
        assert [each["error"] for each in received] == [None, 131056]
        assert len(requests.get(f"{told['url']}/_arrivals", timeout=5).json()[number["id"]]) == 1
    finally:
        fake.terminate()
        assert fake.wait(10) == 0
        fake.stdout.close()
