"""POST /api/messages: one message to one person."""

from __future__ import annotations

from typing import Any

import pytest
from serving import Api, answered, people, refused
from waiting import until


def test_a_single_send_waits_before_all_broadcasts(api: Api) -> None:
    device = api.device()
    api.execute("UPDATE devices SET stalled_s = 12")
    answer = answered(
        api.post("/api/messages", {"device_id": device["id"], "phone": "050-123-4567", "text": "Hello {you}"}), 202
    )
    assert answer["status"] == "queued"
    row = api.rows(
        "SELECT phone, text, origin, priority, device_id, stalled_base_s, campaign_id FROM messages WHERE id = :id",
        id=answer["id"],
    )[0]
    assert tuple(row) == ("+972501234567", "Hello {you}", "single", 1, device["id"], 12.0, None)
    story = answered(api.get(f"/api/messages/{answer['id']}"), 200)
    assert (story["status"], story["origin"], story["attempts"]) == ("queued", "single", [])


def test_the_dispatcher_is_woken_when_it_is_committed(api: Api) -> None:
    device = api.device()
    pooled = api.db.raw_connection()
    connection: Any = pooled.driver_connection
    try:
        connection.cursor().execute("LISTEN fanfare_work")
        connection.commit()
        answered(api.post("/api/messages", {"device_id": device["id"], "phone": people(1)[0], "text": "Hello"}), 202)

        def told() -> list[str]:
            connection.poll()
            return [notice.channel for notice in connection.notifies]

        assert until(told, "the dispatcher is told") == ["fanfare_work"]
    finally:
        pooled.invalidate()


def test_never_to_somebody_on_the_never_send_list(api: Api) -> None:
    device = api.device()
    phone = people(1)[0]
    api.execute(
        "INSERT INTO suppressions (workspace_id, phone, reason, proof) SELECT id, :phone, 'opt_out', 'STOP' FROM workspaces",
        phone=phone,
    )
    body = {"device_id": device["id"], "phone": phone, "text": "Hello"}
    assert refused(api.post("/api/messages", body), 409, "SUPPRESSED")["reason"] == "opt_out"
    assert api.one("SELECT count(*) FROM messages") == 0


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"phone": "12"}, "INVALID_PHONE", "phone"),
        ({"phone": "12025550123-11@g.us"}, "INVALID_PHONE", "phone"),
        ({"device_id": 4711}, "UNKNOWN_DEVICE", "device_id"),
        ({"text": ""}, "INVALID", "text"),
        ({"text": "a\0"}, "INVALID", "text"),
        ({"text": "\ud800"}, "INVALID", "text"),
        ({"device_id": "x"}, "INVALID", "device_id"),
        ({"phone": "+" * 101}, "INVALID", "phone"),
    ],
)
def test_what_is_wrong_is_named(refusing_api: Api, given: dict[str, object], code: str, field: str) -> None:
    body = {"device_id": 1, "phone": people(1)[0], "text": "Hello"} | given
    assert refused(refusing_api.post("/api/messages", body), 422, code)["field"] == field
