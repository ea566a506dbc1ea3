"""POST /events/bridge: the signature, what is stored, and that the answer comes after the commit."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import pytest
import requests
from fleet import SECRETS
from serving import Api, Simulator, answered, refused
from sqlalchemy import Engine, text
from waiting import until

from api import events
from api.event_writer import BATCH

_numbers = count(1)


def event(**more: Any) -> dict[str, Any]:
    return {
        "event_id": f"event-{next(_numbers)}",
        "session": "some-session",
        "type": "receipt",
        "at": "2026-11-21T10:00:00.000Z",
        "data": {"key": "1.1", "message_id": "3EB0", "status": "delivered", "error": None},
        **more,
    }


def post(api: Api, body: bytes | dict[str, Any], signature: str | None = "good") -> requests.Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    if signature == "good":
        secret = SECRETS["EVENTS_SECRET"].encode()
        signature = "sha256=" + hmac.new(secret, raw, hashlib.sha256).hexdigest()
    headers = {} if signature is None else {"X-Signature": signature}
    return requests.post(f"{api.url}/events/bridge", data=raw, headers=headers, timeout=30)


def stored(api: Api) -> list[Any]:
    return api.rows("SELECT event_id, session, type, at, data FROM events ORDER BY id")


def test_an_event_is_stored_once_however_often_it_comes(api: Api) -> None:
    given = event(data={"key": "1.1", "status": "read", "text": "שלום 🙂"})
    assert answered(post(api, given), 200) == {"stored": True}
    assert answered(post(api, given), 200) == {"stored": True}
    (row,) = stored(api)
    assert (row.event_id, row.session, row.type) == (given["event_id"], "some-session", "receipt")
    assert row.at.isoformat() == "2026-11-21T10:00:00+00:00"
    assert row.data == given["data"]


@pytest.mark.parametrize("signature", [None, "", "sha256=", "sha256=" + "0" * 64, "0" * 64, "sha256=é"])
def test_a_wrong_signature_is_refused(refusing_api: Api, signature: str | None) -> None:
    raw = json.dumps(event()).encode()
    refused(post(refusing_api, raw, signature), 401, "BAD_SIGNATURE")
    assert stored(refusing_api) == []


def test_the_signature_is_of_the_raw_bytes(api: Api) -> None:
    raw = json.dumps(event()).encode()
    good = "sha256=" + hmac.new(SECRETS["EVENTS_SECRET"].encode(), raw, hashlib.sha256).hexdigest()
    refused(post(api, raw + b" ", good), 401, "BAD_SIGNATURE")
    assert post(api, raw, good).status_code == 200


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"event_id": %s}' % (b"1" * 5000), "not JSON"),
        (b"[]", "not a JSON object"),
        (event(event_id=7), "event_id"),
        (event(event_id=""), "event_id"),
        (event(event_id="x" * 201), "event_id"),
        (event(session=None), "session"),
        (event(type=[]), "type"),
        (event(at="yesterday"), "at is not a time"),
        (event(at=12), "at is not a time"),
        (event(at="0001-01-01T00:00:00+14:00"), "too long ago"),
        (event(data=[]), "data"),
        (json.dumps(event(data={"n": float("nan")})).encode(), "not JSON"),
        (json.dumps(event(data={"n": 1})).replace('"n": 1', '"n": 1e999').encode(), "cannot be stored"),
    ],
)
def test_what_is_no_event_is_refused_and_not_stored(
    refusing_api: Api, body: bytes | dict[str, Any], words: str
) -> None:
    response = post(refusing_api, body)
    refused(response, 422, "UNREADABLE")
    assert words in response.json()["message"]
    assert stored(refusing_api) == []


def test_what_is_no_text_does_not_block_an_event(api: Api) -> None:
    """Refused, it would be posted again for ever."""
    given = event(data={"text": "a\0b", "half\ud83d": ["\ude42", "🙂"]}, session="s\0")
    assert post(api, given).status_code == 200
    (row,) = stored(api)
    assert row.session == "s\ufffd"
    assert row.data == {"text": "a\ufffdb", "half\ufffd": ["\ufffd", "🙂"]}


def test_a_failure_of_ours_leaves_the_next_event_its_answer(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(events, "made_storable", lambda value: value)
        refused(post(api, event(session="s\0")), 500, "INTERNAL")
    assert post(api, event()).status_code == 200


def test_too_large_an_event(api: Api) -> None:
    refused(post(api, event(data={"text": "x" * (3 * 1024 * 1024)})), 413, "TOO_LARGE")
    assert post(api, event(data={"text": "x" * (2 * 1024 * 1024)})).status_code == 200


@pytest.fixture
def locked(api: Api, engine: Engine) -> Iterator[Any]:
    """The table of events, locked until ``commit``: whoever stores waits."""
    with engine.connect() as db:
        db.execute(text("LOCK TABLE events IN EXCLUSIVE MODE"))
        yield db


def test_it_is_answered_only_after_the_commit_and_then_all_at_once(api: Api, locked: Any) -> None:
    good, bad = [event() for _ in range(30)], event(at="never")
    with ThreadPoolExecutor(31) as pool:
        first = pool.submit(post, api, good[0])
        until(api.waits_for_a_lock, "the first event waits for the table")
        others = [pool.submit(post, api, each) for each in good[1:]]
        assert post(api, bad).status_code == 422  # what is wrong is told without waiting
        assert not any(future.done() for future in [first, *others])
        locked.commit()
        assert {future.result().status_code for future in [first, *others]} == {200}
    assert {row.event_id for row in stored(api)} == {each["event_id"] for each in good}
    # Each transaction has an id of its own: those that waited were stored in few.
    assert api.one("SELECT count(DISTINCT xmin::text) FROM events") <= 4


def test_one_that_cannot_be_stored_does_not_take_others_along(api: Api, locked: Any) -> None:
    bad = json.dumps(event(data={"n": 1})).replace('"n": 1', '"n": 1e999').encode()
    with ThreadPoolExecutor(12) as pool:
        first = pool.submit(post, api, event())
        until(api.waits_for_a_lock, "the first event waits for the table")
        others = [pool.submit(post, api, body) for body in [event(), bad, *(event() for _ in range(8))]]
        locked.commit()
        codes = [future.result().status_code for future in [first, *others]]
    assert codes == [200, 200, 422, *[200] * 8]
    assert len(stored(api)) == 10
    assert BATCH > 10


def test_the_bridge_is_told_to_come_again_while_the_database_is_away(
    engine: Engine, redis_url: str, simulator: Simulator
) -> None:
    api = Api(engine, "postgresql://fanfare:x@127.0.0.1:9/fanfare", simulator, redis_url=redis_url)
    api.start()
    try:
        refused(post(api, event()), 503, "DATABASE_AWAY")
    finally:
        api.stop()


def test_events_that_wait_are_stored_before_the_process_ends(
    engine: Engine, database_url: str, redis_url: str, simulator: Simulator, locked: Any
) -> None:
    api = Api(engine, database_url, simulator, redis_url=redis_url)
    api.start()
    with ThreadPoolExecutor(5) as pool:
        posted = [pool.submit(post, api, event()) for _ in range(5)]
        until(api.waits_for_a_lock, "an event waits for the table")
        stopping = threading.Thread(target=api.stop)
        stopping.start()
        locked.commit()
        assert {future.result().status_code for future in posted} == {200}
    stopping.join()
    assert len(stored(api)) == 5
