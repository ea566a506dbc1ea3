"""Reading broadcasts: counts, failures, pages, the message's story; pause, resume, cancel, retry."""

from __future__ import annotations

import pytest
from serving import IN_DOUBT, NOT_ON_WHATSAPP, Api, answered, people, refused

NINE = {"queued", "processing", "unknown", "sent", "failed", "delivered", "read", "cancelled", "suppressed"}


def test_how_a_broadcast_stands(api: Api) -> None:
    api.device()
    opted_out = people(1)[0]
    api.execute(
        "INSERT INTO suppressions (workspace_id, phone, reason, proof)"
        " SELECT id, :phone, 'opt_out', 'wrote STOP' FROM workspaces",
        phone=opted_out,
    )
    bad, doubtful = people(1, "99001")[0], people(1, "99004")[0]
    broadcast_id = api.launch([*people(2), bad, doubtful, opted_out, "12"])["broadcast_id"]
    path = f"/api/broadcasts/{broadcast_id}"
    waiting = answered(api.get(path), 200)
    assert waiting["counts"] == dict.fromkeys(NINE, 0) | {"queued": 4, "suppressed": 1}
    assert (waiting["status"], waiting["total"], waiting["eta"]) == ("accepted", 5, None)

    api.send_all(broadcast_id, n99001=NOT_ON_WHATSAPP, n99004=IN_DOUBT)
    api.execute(
        "UPDATE messages SET status = 'unknown', error_code = 'outcome_unknown', slot = NULL WHERE phone = :phone",
        phone=doubtful,
    )
    found = answered(api.get(path), 200)
    assert set(found) >= {
        *("broadcast_id", "title", "status", "counts", "total", "invalid_recipients_count"),
        *("failures", "created_at", "started_at", "finished_at", "eta"),
    }
    assert set(found["counts"]) == NINE
    assert found["counts"] == dict.fromkeys(NINE, 0) | {"sent": 2, "failed": 1, "unknown": 1, "suppressed": 1}
    assert found["total"] == sum(found["counts"].values()) == 5
    assert found["invalid_recipients_count"] == 1
    assert found["failures"] == [
        {
            "phone": bad,
            "code": "not_on_whatsapp",
            "reason": "This number is not on WhatsApp",
            "retryable": True,
        },
        {
            "phone": doubtful,
            "code": "outcome_unknown",
            "reason": "It is not known whether the message was sent",
            "retryable": False,
        },
    ]


def test_the_end_can_be_foreseen_while_it_runs(api: Api) -> None:
    api.device(min_gap_s=2)
    broadcast_id = api.launch(people(50), min_delay_s=10, max_delay_s=20)["broadcast_id"]
    api.send_one(broadcast_id)
    path = f"/api/broadcasts/{broadcast_id}"
    found = answered(api.get(path), 200)
    assert found["status"] == "running"
    left_s = api.one("SELECT extract(epoch FROM CAST(:eta AS timestamptz) - now())::int", eta=found["eta"])
    assert 49 * 15 - 5 <= left_s <= 49 * 15 + 30
    answered(api.post("/api/stop"), 200)
    assert answered(api.get(path), 200)["eta"] is None
    answered(api.post("/api/go"), 200)
    assert answered(api.post(f"{path}/pause"), 200) == {"broadcast_id": broadcast_id, "status": "paused"}
    paused = answered(api.get(path), 200)
    assert (paused["status"], paused["reason"], paused["eta"]) == ("paused", "Paused by hand", None)


def test_a_device_that_was_deleted_still_counts(api: Api) -> None:
    device = api.device()
    broadcast_id = api.launch(people(3))["broadcast_id"]
    api.send_all(broadcast_id)
    answered(api.ask("DELETE", f"/api/devices/{device['id']}?confirm=true"), 200)
    found = answered(api.get(f"/api/broadcasts/{broadcast_id}"), 200)
    assert (found["counts"]["sent"], found["total"]) == (3, 3)


def test_pages_of_messages_miss_nobody_and_repeat_nobody(api: Api) -> None:
    api.device()
    api.launch(people(30))
    broadcast_id = api.launch(people(225) + people(3, "99001"))["broadcast_id"]
    api.launch(people(30))
    api.send_all(broadcast_id, n99001=NOT_ON_WHATSAPP)
    path = f"/api/broadcasts/{broadcast_id}/messages"
    seen: list[int] = []
    after: int | None = 0
    for expected in (100, 100, 28):
        page = answered(api.get(path, params={"after": after}), 200)
        assert len(page["messages"]) == expected
        seen += [message["id"] for message in page["messages"]]
        after = page["next_after"]
    assert after is None
    assert seen == sorted(set(seen))
    assert len(seen) == 228
    failed = answered(api.get(path, params={"status": "failed"}), 200)
    assert [message["code"] for message in failed["messages"]] == ["not_on_whatsapp"] * 3
    assert failed["messages"][0]["reason"] == "This number is not on WhatsApp"
    assert failed["messages"][0]["failed_at"]
    assert failed["next_after"] is None
    sent = answered(api.get(path, params={"status": "sent"}), 200)
    assert (len(sent["messages"]), sent["messages"][0]["attempts"]) == (100, 1)
    assert sent["next_after"] == sent["messages"][-1]["id"]
    assert refused(api.get(path, params={"status": "gone"}), 422, "INVALID")["field"] == "status"
    assert refused(api.get(path, params={"after": "x"}), 422, "INVALID")["field"] == "after"


def test_a_message_tells_its_story(api: Api) -> None:
    device = api.device()
    phone = people(1, "99001")[0]
    broadcast_id = api.launch([{"phone": phone, "name": "Dana"}], message="Hello {name}", title="November")[
        "broadcast_id"
    ]
    api.send_all(broadcast_id, n99001=NOT_ON_WHATSAPP)
    message_id = api.one("SELECT id FROM messages")
    story = answered(api.get(f"/api/messages/{message_id}"), 200)
    assert (story["text"], story["campaign_title"]) == ("Hello Dana", "November")
    assert (story["phone"], story["name"], story["status"]) == (phone, "Dana", "failed")
    assert (story["code"], story["reason"]) == ("not_on_whatsapp", "This number is not on WhatsApp")
    (attempt,) = story["attempts"]
    assert (attempt["number"], attempt["key"]) == (1, f"{message_id}.1")
    assert (attempt["device_id"], attempt["device_name"]) == (device["id"], "Phone")
    assert (attempt["outcome"], attempt["proof"], attempt["code"]) == ("not_sent", "answer", "not_on_whatsapp")
    assert attempt["begun_at"] <= attempt["finished_at"]


def test_the_list_has_pages_the_newest_first(api: Api) -> None:
    api.device()
    ids = [api.launch(people(1))["broadcast_id"] for _ in range(3)]
    api.execute(
        "INSERT INTO campaigns (workspace_id, title, message, status, job_id)"
        " SELECT w.id, 'Old', 'Hello', 'scheduled', gen_random_uuid() FROM workspaces w, generate_series(1, 100)"
    )
    api.execute("UPDATE campaigns SET counts = '{\"queued\": 1}', counted_at = now() WHERE id = :id", id=ids[0])
    first = answered(api.get("/api/broadcasts"), 200)
    assert len(first["broadcasts"]) == 100
    last = answered(api.get("/api/broadcasts", params={"after": first["next_after"]}), 200)
    assert [each["broadcast_id"] for each in last["broadcasts"]] == ids[::-1]
    assert last["next_after"] is None
    assert last["broadcasts"][-1]["counts"] == dict.fromkeys(NINE, 0) | {"queued": 1}
    assert last["broadcasts"][0]["counts"] is None


def test_cancel_and_what_cannot_be_done_afterwards(api: Api) -> None:
    api.device()
    broadcast_id = api.launch(people(4))["broadcast_id"]
    path = f"/api/broadcasts/{broadcast_id}"
    done = {"broadcast_id": broadcast_id, "status": "cancelled", "cancelled_count": 4}
    assert answered(api.post(f"{path}/cancel"), 200) == done
    assert answered(api.get(path), 200)["counts"]["cancelled"] == 4
    for verb in ("pause", "resume", "retry"):
        refused(api.post(f"{path}/{verb}"), 409, "NOT_POSSIBLE")


def test_retry_queues_those_with_the_codes(api: Api) -> None:
    api.device()
    broadcast_id = api.launch(people(2, "99001") + people(1))["broadcast_id"]
    api.send_all(broadcast_id, n99001=NOT_ON_WHATSAPP)
    path = f"/api/broadcasts/{broadcast_id}"
    assert answered(api.post(f"{path}/retry", {"codes": ["expired"]}), 200)["queued_count"] == 0
    assert answered(api.post(f"{path}/retry", {"codes": ["not_on_whatsapp"]}), 200)["queued_count"] == 2
    assert answered(api.get(path), 200)["counts"]["queued"] == 2
    assert refused(api.post(f"{path}/retry", {"codes": []}), 422, "INVALID")["field"] == "codes"


def test_pause_and_resume(api: Api) -> None:
    api.device()
    broadcast_id = api.launch(people(2))["broadcast_id"]
    path = f"/api/broadcasts/{broadcast_id}"
    assert answered(api.post(f"{path}/pause"), 200)["status"] == "paused"
    assert answered(api.post(f"{path}/resume"), 200)["status"] == "running"
    assert [row.who for row in api.rows("SELECT who FROM audit WHERE action IN ('pause', 'resume')")] == ["api", "api"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/broadcasts/4711"),
        ("GET", "/api/broadcasts/4711/messages"),
        ("GET", "/api/broadcasts/4711/rejected.csv"),
        ("POST", "/api/broadcasts/4711/pause"),
        ("POST", "/api/broadcasts/4711/resume"),
        ("POST", "/api/broadcasts/4711/cancel"),
        ("POST", "/api/broadcasts/4711/retry"),
        ("GET", "/api/messages/4711"),
        ("GET", "/api/devices/4711"),
        ("PATCH", "/api/devices/4711"),
        ("DELETE", "/api/devices/4711"),
        ("GET", "/api/devices/4711/qr"),
        ("POST", "/api/devices/4711/start"),
    ],
)
def test_what_is_not_there(refusing_api: Api, method: str, path: str) -> None:
    refused(refusing_api.ask(method, path, {} if method == "PATCH" else None), 404, "NOT_FOUND")
    far = path.replace("4711", str(2**64))
    assert "at most" in refusing_api.ask(method, far, {} if method == "PATCH" else None).json()["message"]
