"""The way of docs/architecture.md, walked through the real processes, heading by heading."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import requests
from fleet import SECRETS, Fleet
from waiting import until

CSV = "phone,name,voucher\r\n050-123-4567,Dana,A1\r\n12,Nobody,B2\r\n".encode("utf-8-sig")
DANA = "+972501234567"


def upload(fleet: Fleet) -> Any:
    answer = requests.post(
        f"{fleet.api_url}/api/broadcasts/csv",
        files={"file": ("people.csv", CSV, "text/csv")},
        data={"message": "Hi {name}, take {voucher}", "title": "A walk"},
        headers={"Authorization": f"Bearer {SECRETS['API_TOKEN']}"},
        timeout=30,
    )
    assert answer.status_code == 202, answer.text
    return answer.json()


def test_danas_message_goes_from_her_row_to_read(make_fleet: Callable[..., Fleet]) -> None:
    fleet = make_fleet().start("api", "bridge")
    device = fleet.api("POST", "/api/devices", {"name": "Walk", "provider": "simulator", "session": "walk"}).json()
    until(lambda: fleet.bridge("GET", "/whatsapp/walk/status")["can_send"], "the phone can send")

    # 1 to 3: rows become people and rejected rows; the launch looks at the phones itself, and is committed before it is
    # answered.
    assert not fleet.one("SELECT can_send FROM devices")
    launched = upload(fleet)
    assert (launched["queued_count"], launched["idempotent"]) == (1, False)
    assert launched["invalid"] == [{"phone": "12", "row": 3, "reason": "too_short"}]
    assert launched["items"] == [{"phone": DANA, "lead_id": None, "status": "queued"}]
    campaign_id = launched["broadcast_id"]
    committed = fleet.rows(
        "SELECT c.status, m.status, m.row, m.device_id FROM campaigns c JOIN messages m ON m.campaign_id = c.id"
    )
    assert [tuple(row) for row in committed] == [("accepted", "queued", 2, None)]

    # 4: without a worker nothing happens; the dispatcher has queued the job under the id that was answered.
    fleet.start("dispatcher")
    until(lambda: f"job={launched['job_id']} queued" in fleet.log("dispatcher"), "the job is queued")
    assert fleet.one("SELECT status FROM campaigns") == "accepted"

    # 5 to 8: dealt, released, begun, handed over, recorded.
    fleet.start("worker")
    until(lambda: fleet.one("SELECT sent_at FROM messages") is not None, "Dana is sent to", within_s=30)
    assert fleet.one("SELECT device_id FROM messages") == device["id"]
    assert fleet.received() == {DANA: 1}
    [delivery] = fleet.deliveries()
    assert delivery["text"] == "Hi Dana, take A1"
    message_id = fleet.one("SELECT id FROM messages")
    assert delivery["key"] == f"{message_id}.1"

    # 9: receipts raise it to read, and only as far as they prove.
    until(lambda: fleet.one("SELECT status FROM messages") == "read", "she has read it")
    attempt = fleet.rows("SELECT number, outcome, provider_message_id IS NOT NULL FROM attempts")
    assert [tuple(row) for row in attempt] == [(1, "read", True)]
    times = fleet.rows("SELECT sent_at <= delivered_at, delivered_at <= read_at FROM messages")
    assert [tuple(row) for row in times] == [(True, True)]
    assert fleet.one("SELECT count(*) FROM events WHERE type = 'receipt' AND applied_at IS NOT NULL") >= 2

    # 10 and 11: the campaign ends, and says what became of everybody.
    assert fleet.ended(campaign_id) == "completed"
    seen = fleet.api("GET", f"/api/broadcasts/{campaign_id}").json()
    assert (seen["status"], seen["counts"]["read"], seen["total"]) == ("completed", 1, 1)
    assert seen["invalid_recipients_count"] == 1
    assert DANA.lstrip("+") not in fleet.log("worker")
    assert f"[WA_BROADCAST] broadcast={campaign_id} ended completed" in fleet.log("worker")
