"""The header Idempotency-Key: one effect and one answer for a request that comes more than once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from serving import NOT_ON_WHATSAPP, Api, answered, people, refused
from sqlalchemy import Connection, Engine

from db import engine as database


def post(api: Api, path: str, body: Any, key: str) -> Any:
    return api.post(path, body, headers={"Idempotency-Key": key})


def test_the_same_launch_under_one_key_gets_the_same_answer(api: Api) -> None:
    api.device()
    body = {"message": "Hello", "recipients": people(3), "allow_repeat": True}
    first = answered(post(api, "/api/broadcasts", body, "a"), 202)
    api.execute("UPDATE idempotency SET launched_at = launched_at - interval '23 hours'")
    assert answered(post(api, "/api/broadcasts", dict(reversed(body.items())), "a"), 202) == first
    assert answered(post(api, "/api/broadcasts", body, "b"), 202)["broadcast_id"] != first["broadcast_id"]
    details = refused(post(api, "/api/broadcasts", body | {"message": "Other"}, "a"), 422, "IDEMPOTENCY_KEY_REUSED")
    assert details["field"] == "Idempotency-Key"
    assert api.one("SELECT count(*) FROM campaigns") == 2
    api.execute("UPDATE idempotency SET launched_at = launched_at - interval '2 hours'")
    assert answered(post(api, "/api/broadcasts", body, "a"), 202)["broadcast_id"] != first["broadcast_id"]


def test_a_key_answers_also_when_the_content_was_launched_before(api: Api) -> None:
    """Otherwise the same request, repeated after ten minutes, would launch anew."""
    api.device()
    body = {"message": "Hello", "recipients": people(1)}
    first = answered(api.post("/api/broadcasts", body), 202)
    keyed = answered(post(api, "/api/broadcasts", body, "a"), 202)
    assert (keyed["broadcast_id"], keyed["idempotent"]) == (first["broadcast_id"], True)
    api.execute("UPDATE idempotency SET launched_at = launched_at - interval '11 minutes'")
    assert answered(post(api, "/api/broadcasts", body, "a"), 202) == keyed


def test_twenty_at_once_under_one_key_queue_one_message(api: Api) -> None:
    device = api.device()
    body = {"device_id": device["id"], "phone": people(1)[0], "text": "Hello"}
    start = threading.Barrier(20)

    def send() -> Any:
        start.wait()
        return answered(post(api, "/api/messages", body, "one"), 202)

    with ThreadPoolExecutor(20) as pool:
        answers = [future.result() for future in [pool.submit(send) for _ in range(20)]]
    assert len({answer["id"] for answer in answers}) == 1
    assert api.one("SELECT count(*) FROM messages") == 1


def test_what_is_refused_leaves_the_key_free(api: Api) -> None:
    body = {"message": "Hello", "recipients": people(1)}
    refused(post(api, "/api/broadcasts", body, "a"), 503, "WHATSAPP_NOT_CONNECTED")
    api.device()
    assert answered(post(api, "/api/broadcasts", body, "a"), 202)["queued_count"] == 1


def test_one_key_for_two_addresses(api: Api) -> None:
    device = api.device()
    answered(post(api, "/api/broadcasts", {"message": "Hello", "recipients": people(1)}, "a"), 202)
    body = {"device_id": device["id"], "phone": people(1)[0], "text": "Hello"}
    refused(post(api, "/api/messages", body, "a"), 422, "IDEMPOTENCY_KEY_REUSED")


def test_a_retry_under_one_key_queues_once(api: Api) -> None:
    api.device()
    broadcast_id = api.launch(people(2) + people(1, "99001"))["broadcast_id"]
    api.send_all(broadcast_id, n99001=NOT_ON_WHATSAPP)
    path = f"/api/broadcasts/{broadcast_id}/retry"
    assert (
        answered(api.post(path), 200)["queued_count"] == 0
    )  # WhatsApp does not take this number, and is not asked again
    asked = {"codes": ["not_on_whatsapp"]}
    first = answered(post(api, path, asked, "again"), 200)
    assert first["queued_count"] == 1
    api.send_all(broadcast_id, n99001=NOT_ON_WHATSAPP)
    assert answered(post(api, path, asked, "again"), 200) == first
    assert api.one("SELECT count(*) FROM messages WHERE status = 'queued'") == 0
    refused(post(api, path, {"codes": ["expired"]}, "again"), 422, "IDEMPOTENCY_KEY_REUSED")


def test_a_key_has_a_limit(api: Api) -> None:
    details = refused(
        post(api, "/api/messages", {"device_id": 1, "phone": "1", "text": "x"}, "k" * 256), 422, "INVALID"
    )
    assert details["field"] == "Idempotency-Key"


def test_a_commit_whose_answer_was_lost_has_one_effect(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The transaction is run again then, and nothing in the request says that it is the same one."""
    device = api.device()
    once = database.run

    def twice(engine: Engine, work: Callable[[Connection], Any], **more: Any) -> Any:
        once(engine, work, **more)
        return once(engine, work, **more)

    monkeypatch.setattr(database, "run", twice)
    body = {"message": "Hello", "recipients": people(3), "allow_repeat": True}
    assert answered(api.post("/api/broadcasts", body), 202)["queued_count"] == 3
    answered(api.post("/api/messages", {"device_id": device["id"], "phone": people(1)[0], "text": "Hello"}), 202)
    assert (api.one("SELECT count(*) FROM campaigns"), api.one("SELECT count(*) FROM messages")) == (1, 4)
