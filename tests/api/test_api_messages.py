"""POST /api/messages: one message to one person."""

from __future__ import annotations

from typing import Any

import pytest
from serving import Api, answered, people, refused
from sqlalchemy import text
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
    pooled = api.engine.raw_connection()
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


def test_a_message_that_waits_can_be_cancelled_and_then_its_phone_deleted(api: Api) -> None:
    device = api.device()
    body = {"device_id": device["id"], "phone": people(1)[0], "text": "Hello"}
    message_id = answered(api.post("/api/messages", body), 202)["id"]
    path = f"/api/messages/{message_id}/cancel"
    for _ in range(2):  # twice is once
        assert answered(api.post(path), 200) == {"id": message_id, "status": "cancelled"}
    assert api.rows("SELECT action, subject FROM audit WHERE action = 'cancel'") == [
        ("cancel", f"message:{message_id}")
    ]
    answered(api.ask("DELETE", f"/api/devices/{device['id']}?confirm=true"), 200)
    refused(api.post(path), 404, "NOT_FOUND")


def test_a_message_that_has_gone_out_cannot_be_cancelled(api: Api) -> None:
    api.device()
    broadcast_id = api.launch(people(1))["broadcast_id"]
    api.send_all(broadcast_id)
    message_id = api.one("SELECT id FROM messages")
    refused(api.post(f"/api/messages/{message_id}/cancel"), 409, "NOT_POSSIBLE")


def test_a_message_in_doubt_goes_out_again_only_by_a_decision_that_is_spelt_out(api: Api) -> None:
    api.device()
    doubtful = people(1)[0]
    broadcast_id = api.launch([doubtful])["broadcast_id"]
    api.send_all(broadcast_id)
    message_id = api.one("SELECT id FROM messages")
    path = f"/api/messages/{message_id}/retry"
    refused(api.post(path, {"may_double": True}), 409, "NOT_POSSIBLE")  # it was sent
    with api.engine.begin() as db:
        db.execute(text("ALTER TABLE messages DISABLE TRIGGER messages_guard"))
        db.execute(text("UPDATE messages SET status = 'unknown', error_code = 'outcome_unknown', unknown_at = now()"))
        db.execute(text("ALTER TABLE messages ENABLE TRIGGER messages_guard"))
    refused(api.post(path, {}), 422, "INVALID")
    refused(api.post(path, {"may_double": False}), 422, "INVALID")
    assert answered(api.post(path, {"may_double": True}), 202) == {"id": message_id, "status": "queued"}
    assert api.one("SELECT action FROM audit ORDER BY id DESC LIMIT 1") == "retry_unknown"
    refused(api.post("/api/messages/999999/retry", {"may_double": True}), 404, "NOT_FOUND")
