"""POST /api/broadcasts: proof of queuing, refusals, the same launch again, the connection check."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from serving import Api, Simulator, answered, new_session, people, refused
from waiting import until

from bridge import directory

FIELDS = {
    "success",
    "warnings",
    "broadcast_id",
    "job_id",
    "status",
    "queued_count",
    "sent_count",
    "invalid_recipients_count",
    "invalid",
    "items",
    "idempotent",
}


def test_a_launch_proves_what_it_has_queued(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    api.device()
    dana, avi, local = people(1)[0], people(1)[0], "050-123-4567"
    with caplog.at_level(logging.INFO, logger="fanfare.api"):
        answer = api.launch(
            [dana, {"phone": avi, "name": "Avi", "variables": {"city": "Haifa"}}, "12", dana],
            phones=[local],
            message="Hello {name|you} from {city|here}",
            title="November",
        )
    assert set(answer) == FIELDS
    assert (answer["success"], answer["status"], answer["idempotent"]) == (True, "accepted", False)
    assert (answer["queued_count"], answer["sent_count"], answer["invalid_recipients_count"]) == (3, 0, 2)
    assert answer["invalid"] == [
        {"phone": "12", "row": 3, "reason": "too_short"},
        {"phone": dana, "row": 4, "reason": "duplicate"},
    ]
    assert [item["phone"] for item in answer["items"]] == [dana, avi, "+972501234567"]
    assert {item["status"] for item in answer["items"]} == {"queued"}
    broadcast_id = answer["broadcast_id"]
    assert api.one("SELECT count(*) FROM messages WHERE campaign_id = :id AND status = 'queued'", id=broadcast_id) == 3
    assert str(api.one("SELECT job_id FROM campaigns WHERE id = :id", id=broadcast_id)) == answer["job_id"]
    assert api.one("SELECT title FROM campaigns") == "November"
    line = next(record.getMessage() for record in caplog.records if "[WA_BROADCAST]" in record.getMessage())
    assert f"broadcast={broadcast_id}" in line
    assert "queued=3 invalid=2" in line
    assert answer["job_id"] in line
    assert dana not in line
    assert f"•••••{dana[-2:]} duplicate" in line


def test_recipients_may_come_as_leads(api: Api) -> None:
    api.device()
    api.get("/api/devices")
    workspace = api.one("SELECT id FROM workspaces")
    first, second = people(2)
    ids = [
        api.one(
            "INSERT INTO leads (workspace_id, phone, name, attributes)"
            ' VALUES (:workspace, :phone, :name, \'{"city": "Haifa"}\') RETURNING id',
            workspace=workspace,
            phone=phone,
            name=name,
        )
        for phone, name in ((first, "Dana"), (second, None))
    ]
    answer = api.launch([people(1)[0]], lead_ids=[ids[0], 987_654, ids[1]], message="From {city|here}")
    assert answer["queued_count"] == 3
    assert answer["invalid"] == [{"phone": "lead 987654", "row": 3, "reason": "lead_not_found"}]
    assert [item["lead_id"] for item in answer["items"]] == [None, *ids]
    assert api.rows("SELECT name, variables FROM messages WHERE phone = :phone", phone=first) == [
        ("Dana", {"city": "Haifa", "name": "Dana"})
    ]
    corrected = api.get(f"/api/broadcasts/{answer['broadcast_id']}/rejected.csv").content.decode("utf-8-sig")
    assert "lead 987654" in corrected
    assert "There is no lead with this id" in corrected


@pytest.mark.parametrize("given", [{}, {"recipients": []}, {"recipients": [], "phones": [], "lead_ids": []}])
def test_nobody_to_send_to(api: Api, given: dict[str, list[str]]) -> None:
    details = refused(api.post("/api/broadcasts", {"message": "Hello", **given}), 400, "NO_RECIPIENTS")
    workspace = api.one("SELECT id FROM workspaces")
    assert details == {"missing_field": "recipients", "selection_count": 0, "workspace_id": workspace}


def test_all_invalid(api: Api) -> None:
    api.device()
    given: list[object] = ["12", {"phone": None}, 3.5, {"phone": "9.72E+11"}, "x" * 40_000, "\0", {"phone": [1]}, True]
    details = refused(api.post("/api/broadcasts", {"message": "Hello", "recipients": given}), 400, "ALL_INVALID")
    reasons = [row["reason"] for row in details["invalid"]]
    assert reasons[:4] == ["too_short", "missing", "invalid_format", "scientific_notation"]
    assert reasons[4:] == ["field_too_long", "bad_character", "bad_value", "invalid_format"]
    assert details["invalid_recipients_count"] == len(given)
    assert api.one("SELECT count(*) FROM campaigns") == 0


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"message": None}, "message", "must be text"),
        ({"message": ""}, "message", "must not be empty"),
        ({"message": "a\0b"}, "message", "NUL"),
        ({"message": "a\ud800b"}, "message", "no text"),
        ({"title": "a\ud800b"}, "title", "no text"),
        ({"message": "x" * 65_537}, "message", "65536"),
        ({"recipients": "050"}, "recipients", "must be a list"),
        ({"lead_ids": ["one"]}, "lead_ids.0", "whole number"),
        ({"lead_ids": [2**63]}, "lead_ids.0", "at most"),
        ({"device_ids": []}, "device_ids", "must not be empty"),
        ({"scheduled_at": "tomorrow"}, "scheduled_at", "2026-11-30T09:00:00+02:00"),
        ({"scheduled_at": "2026-12-01T09:00:00"}, "scheduled_at", "zone"),
        ({"scheduled_at": "9999-12-31T23:59:59-12:00"}, "scheduled_at", "a year ahead"),
        ({"scheduled_at": "0001-01-01T00:00:00+12:00"}, "scheduled_at", "a year ahead"),
        ({"min_delay_s": -1}, "min_delay_s", "at least 0"),
        ({"min_delay_s": 5, "max_delay_s": 1}, "body", "min_delay_s must not be above max_delay_s"),
        ({"mesage": "Hello"}, "mesage", "is not a field"),
        ({"recipients": [{"phone": "050", "variables": {"a\0": "x"}}]}, "recipients", "no text"),
        ({"recipients": [{"phone": "050", "variables": {"a\ud800": "x"}}]}, "recipients", "no text"),
        ({"recipients": [{"phone": "050", "variables": {str(n): "x" for n in range(101)}}]}, "recipients", "100"),
    ],
)
def test_a_wrong_field_is_named(refusing_api: Api, given: dict[str, object], field: str, words: str) -> None:
    response = refusing_api.post("/api/broadcasts", {"message": "Hello", "recipients": ["0501234567"]} | given)
    details = refused(response, 422, "INVALID")
    assert details["field"] == field
    assert words in response.json()["message"]


def test_a_message_that_cannot_be_read_or_a_device_that_is_not_there(api: Api) -> None:
    api.device()
    body = {"message": "Hello {name", "recipients": people(1)}
    assert refused(api.post("/api/broadcasts", body), 422, "BAD_MESSAGE")["field"] == "message"
    body = {"message": "Hello", "recipients": people(1), "device_ids": [4711]}
    assert refused(api.post("/api/broadcasts", body), 422, "UNKNOWN_DEVICE")["unknown"] == [4711]


def test_twenty_identical_launches_at_once_are_one_broadcast(api: Api) -> None:
    api.device()
    body = {"message": "Hello", "recipients": people(30)}
    start = threading.Barrier(20)

    def launch() -> Any:
        start.wait()
        return answered(api.post("/api/broadcasts", body), 202)

    with ThreadPoolExecutor(20) as pool:
        answers = [future.result() for future in [pool.submit(launch) for _ in range(20)]]
    assert len({answer["broadcast_id"] for answer in answers}) == 1
    assert sorted(answer["idempotent"] for answer in answers) == [False] + [True] * 19
    assert {answer["queued_count"] for answer in answers} == {30}
    assert api.one("SELECT count(*) FROM messages") == 30


def test_the_same_content_is_one_broadcast_within_ten_minutes(api: Api) -> None:
    api.device()
    sent = people(2)
    first = api.launch(sent, message="Hello")
    api.execute("UPDATE idempotency SET launched_at = launched_at - interval '9 minutes'")
    again = api.launch(reversed(sent), message="Hello")
    assert (again["broadcast_id"], again["idempotent"]) == (first["broadcast_id"], True)
    assert api.launch(sent, message="Hello", allow_repeat=True)["broadcast_id"] != first["broadcast_id"]
    api.execute("UPDATE idempotency SET launched_at = launched_at - interval '2 minutes'")
    later = api.launch(sent, message="Hello")
    assert (later["broadcast_id"] != first["broadcast_id"], later["idempotent"]) == (True, False)


def test_no_device_can_send(api: Api, simulator: Simulator) -> None:
    body = {"message": "Hello", "recipients": people(1)}
    details = refused(api.post("/api/broadcasts", body), 503, "WHATSAPP_NOT_CONNECTED")
    assert details == {"requires_connection": True, "devices": []}
    session = simulator.session()
    device = api.device(session=session)
    simulator.ask("POST", f"/whatsapp/{session}/disconnect")
    details = refused(api.post("/api/broadcasts", body), 503, "WHATSAPP_NOT_CONNECTED")
    assert details["requires_connection"] is True
    assert [(each["id"], each["state"]) for each in details["devices"]] == [(device["id"], "closed")]
    assert api.one("SELECT count(*) FROM campaigns") == 0
    simulator.ask("POST", f"/whatsapp/{session}/start")
    until(lambda: simulator.can_send(session), "the session is back")
    assert answered(api.post("/api/broadcasts", body), 202)["queued_count"] == 1


def test_a_launch_for_later_asks_no_bridge(api: Api) -> None:
    body = {"name": "Away", "provider": "simulator", "session": new_session(), "bridge_url": "http://127.0.0.1:9"}
    answered(api.post("/api/devices", body), 201)
    api.execute("UPDATE bridges SET away_since = NULL")
    at = datetime.now(UTC) + timedelta(hours=1)
    answer = api.launch(people(1), scheduled_at=at.isoformat())
    assert answer["status"] == "scheduled"
    assert api.one("SELECT count(*) FROM bridges WHERE away_since IS NOT NULL") == 0


def test_a_bridge_that_is_not_there_does_not_stop_a_launch(api: Api) -> None:
    body = {"name": "Away", "provider": "simulator", "session": new_session(), "bridge_url": "http://127.0.0.1:9"}
    device = answered(api.post("/api/devices", body), 201)
    assert "does not answer" in device["last_error"]
    assert api.launch(people(1))["queued_count"] == 1
    assert api.one("SELECT count(*) FROM bridges WHERE away_since IS NOT NULL") == 1


def test_bridges_that_hang_are_not_waited_for(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that drips a byte now and then never meets a time-out between two reads; the whole look has one."""
    monkeypatch.setattr(directory, "LOOK_S", 1.0)
    gone = threading.Event()

    class Dripping(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            while not gone.wait(0.2):
                try:
                    self.wfile.write(b" ")
                except OSError:
                    return

        def log_message(self, *_: object) -> None: ...

    servers = [ThreadingHTTPServer(("127.0.0.1", 0), Dripping) for _ in range(2)]
    for server in servers:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        api.execute("INSERT INTO bridges (address) VALUES (:url)", url=f"http://127.0.0.1:{server.server_port}")
    api.get("/api/devices")
    api.execute(
        "INSERT INTO devices (workspace_id, name, provider, session, bridge_address, min_gap_s, max_gap_s)"
        " SELECT w.id, 'Phone', 'simulator', 'dripping', b.address, 1, 1 FROM workspaces w, bridges b"
        " WHERE b.address <> 'default'"
    )
    before = datetime.now(UTC)
    answer = api.launch(people(1))
    took = datetime.now(UTC) - before
    gone.set()
    for server in servers:
        server.shutdown()
        server.server_close()
    assert answer["queued_count"] == 1
    assert timedelta(seconds=1) <= took < timedelta(seconds=4)
