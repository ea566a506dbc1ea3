"""What became of a broadcast and of a person: failures, doubts, devices, timeline, the CSV, one number."""

from __future__ import annotations

import csv

import pytest
from serving import IN_DOUBT, NOT_ON_WHATSAPP, Api, answered, people, refused


@pytest.fixture
def broadcast(api: Api) -> int:
    """A broadcast of which two were sent, one is not on WhatsApp, and two are in doubt."""
    api.device()
    broadcast_id: int = api.launch([*people(2), *people(1, "99001"), *people(2, "99004")])["broadcast_id"]
    for _ in range(2):  # a send in doubt holds its phone until it is settled
        api.send_all(broadcast_id, n99001=NOT_ON_WHATSAPP, n99004=IN_DOUBT)
        api.execute(
            "UPDATE messages SET status = 'unknown', error_code = 'no_answer', slot = NULL WHERE status = 'processing'"
        )
    return broadcast_id


def test_failures_by_reason(api: Api, broadcast: int) -> None:
    found = answered(api.get(f"/api/broadcasts/{broadcast}/failures"), 200)
    assert [(each["code"], each["verdict"], each["count"]) for each in found["groups"]] == [
        ("no_answer", "doubt", 2),
        ("not_on_whatsapp", "hopeless", 1),
    ]
    assert found["groups"][0]["undecided"] == found["undecided_count"] == 2
    assert (found["groups"][1]["retryable"], found["safe_count"]) == (1, 0)


def test_doubts_are_decided_for_all_or_for_one(api: Api, broadcast: int) -> None:
    path = f"/api/broadcasts/{broadcast}"
    first, second = (row.id for row in api.rows("SELECT id FROM messages WHERE status = 'unknown' ORDER BY id"))
    assert answered(api.get(f"/api/messages/{first}"), 200)["undecided"] is True
    assert answered(api.post(f"/api/messages/{first}/leave"), 200) == {"id": first, "status": "unknown"}
    assert answered(api.get(f"/api/messages/{first}"), 200)["undecided"] is False
    refused(api.post("/api/messages/999999/leave"), 404, "NOT_FOUND")

    as_of = answered(api.get(f"{path}/failures"), 200)["as_of"]
    assert refused(api.post(f"{path}/doubts/retry", {"as_of": as_of}), 422, "INVALID")["field"] == "may_double"
    assert refused(api.post(f"{path}/doubts/leave", {}), 422, "INVALID")["field"] == "as_of"
    body = {"as_of": as_of, "may_double": True}
    assert answered(api.post(f"{path}/doubts/retry", body), 200)["queued_count"] == 1
    assert answered(api.post(f"{path}/doubts/retry", body), 200)["queued_count"] == 0
    assert api.one("SELECT status FROM messages WHERE id = :id", id=second) == "queued"

    api.execute("UPDATE messages SET status = 'unknown', error_code = 'no_answer' WHERE id = :id", id=second)
    as_of = answered(api.get(f"{path}/failures"), 200)["as_of"]
    assert answered(api.post(f"{path}/doubts/leave", {"as_of": as_of}), 200)["left_count"] == 1


def test_pages_of_messages_filtered_and_backwards_and_as_a_csv(api: Api, broadcast: int) -> None:
    path = f"/api/broadcasts/{broadcast}/messages"
    device_id = api.one("SELECT id FROM devices")
    everybody = answered(api.get(path), 200)["messages"]
    assert {row["device_name"] for row in everybody} == {"Phone"}
    wanted = {"code": "no_answer", "device_id": device_id, "status": "unknown"}
    doubted = answered(api.get(path, params=wanted), 200)
    assert [row["code"] for row in doubted["messages"]] == ["no_answer"] * 2
    assert answered(api.get(path, params=wanted | {"device_id": device_id + 1}), 200)["messages"] == []
    last = everybody[-1]["id"]
    behind = answered(api.get(path, params={"after": last - 1}), 200)
    assert behind["next_before"] == last
    back = answered(api.get(path, params={"before": behind["next_before"]}), 200)
    assert (back["messages"], back["next_before"]) == (everybody[:-1], None)

    file = api.get(f"{path}.csv", params=wanted)
    assert file.status_code == 200
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(file.content.decode("utf-8-sig").splitlines()))
    assert [row["phone"] for row in rows] == [f"'{row['phone']}" for row in doubted["messages"]]


def test_devices_and_timeline(api: Api, broadcast: int) -> None:
    (line,) = answered(api.get(f"/api/broadcasts/{broadcast}/devices"), 200)["devices"]
    assert (line["name"], line["total"], line["sent"], line["failed"], line["unknown"]) == ("Phone", 5, 2, 1, 2)
    happened = answered(api.get(f"/api/broadcasts/{broadcast}/timeline"), 200)["happened"]
    assert [(each["what"], each["who"]) for each in happened] == [
        ("started", None),
        ("launch", "api"),
        ("created", None),
    ]


def test_a_number_in_any_spelling_tells_its_person(api: Api, broadcast: int) -> None:
    phone = api.one("SELECT phone FROM messages WHERE status = 'failed'")
    typed = f"0{phone[4:6]}-{phone[6:9]}-{phone[9:]}"
    found = answered(api.get(f"/api/people/{typed}"), 200)
    assert (found["phone"], found["lead"], found["suppression"]) == (phone, None, None)
    (message,) = found["messages"]
    assert (message["campaign_id"], message["code"]) == (broadcast, "not_on_whatsapp")
    assert answered(api.get(f"/api/people/{phone}"), 200) == found
    assert refused(api.get("/api/people/12"), 422, "INVALID_PHONE")["reason"] == "too_short"


@pytest.mark.parametrize("what", ["failures", "devices", "timeline", "messages.csv"])
def test_what_is_not_there(refusing_api: Api, what: str) -> None:
    refused(refusing_api.get(f"/api/broadcasts/4711/{what}"), 404, "NOT_FOUND")
