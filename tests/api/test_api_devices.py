"""Devices: add, read, change, delete (R22-R24)."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from serving import Api, Simulator, answered, new_session, people, refused
from sqlalchemy import text
from waiting import until

R22 = {
    *("connected", "can_send", "session_age", "last_message_ts", "qr_required", "last_error", "state"),
    "restricted_until",
}


def test_a_new_device_has_its_providers_pace_and_its_session_is_started(api: Api, simulator: Simulator) -> None:
    session = new_session()
    body = {"name": "Sales 1", "provider": "baileys", "session": session, "phone": "050-123-4567"}
    device = answered(api.post("/api/devices", body), 201)
    assert set(device) >= R22
    assert (device["min_gap_s"], device["max_gap_s"], device["daily_cap"], device["hourly_cap"]) == (5, 15, 200, None)
    assert (device["phone"], device["sent_today"], device["waiting_count"]) == ("+972501234567", 0, 0)
    until(lambda: simulator.can_send(session), "the session was started")
    other = answered(
        api.post(
            "/api/devices",
            {"name": "Slow", "provider": "simulator", "session": new_session(), "min_gap_s": 7.5, "daily_cap": 9},
        ),
        201,
    )
    assert (other["min_gap_s"], other["max_gap_s"], other["daily_cap"]) == (7.5, 7.5, 9)
    listed = answered(api.get("/api/devices"), 200)["devices"]
    assert [each["id"] for each in listed] == [device["id"], other["id"]]
    assert api.rows("SELECT action, subject FROM audit ORDER BY id")[0] == ("add_device", f"device:{device['id']}")


def test_a_session_belongs_to_one_device(api: Api) -> None:
    first = api.device()
    body = {"name": "Second", "provider": "simulator", "session": first["session"]}
    assert refused(api.post("/api/devices", body), 409, "SESSION_TAKEN")["field"] == "session"


def test_a_bridge_that_is_away_does_not_stop_adding(api: Api) -> None:
    body = {"name": "A", "provider": "baileys", "session": new_session(), "bridge_url": "http://127.0.0.1:9/"}
    device = answered(api.post("/api/devices", body), 201)
    assert device["last_error"] == "the bridge does not answer"
    assert api.rows("SELECT address FROM bridges ORDER BY address") == [("default",), ("http://127.0.0.1:9",)]


def test_our_bridge_has_one_name(api: Api, simulator: Simulator) -> None:
    device = api.device(bridge_url=f"{simulator.url}/")
    assert api.one("SELECT bridge_address FROM devices WHERE id = :id", id=device["id"]) == "default"


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"session": None}, "INVALID", "session"),
        ({"phone_number_id": "1"}, "INVALID", "phone_number_id"),
        ({"business_account_id": "1"}, "INVALID", "business_account_id"),
        ({"token": "t"}, "INVALID", "token"),
        ({"provider": "telegram"}, "INVALID", "provider"),
        ({"session": "../x"}, "INVALID", "session"),
        ({"session": "a b"}, "INVALID", "session"),
        ({"session": "a\n"}, "INVALID", "session"),
        ({"session": "x" * 65}, "INVALID", "session"),
        ({"name": ""}, "INVALID", "name"),
        ({"name": "a\0"}, "INVALID", "name"),
        ({"phone": "12"}, "INVALID_PHONE", "phone"),
        ({"min_gap_s": -1}, "INVALID", "min_gap_s"),
        ({"min_gap_s": "soon"}, "INVALID", "min_gap_s"),
        ({"daily_cap": 0}, "INVALID", "daily_cap"),
        ({"daily_cap": 1.5}, "INVALID", "daily_cap"),
        ({"bridge_url": "ftp://127.0.0.1"}, "INVALID", "bridge_url"),
        ({"bridge_url": "http://"}, "INVALID", "bridge_url"),
        ({"bridge_url": "http://host:99999"}, "INVALID", "bridge_url"),
        ({"bridge_url": "http://me:secret@host"}, "INVALID", "bridge_url"),
    ],
)
def test_what_is_wrong_is_named(refusing_api: Api, given: dict[str, Any], code: str, field: str) -> None:
    body = {"name": "Phone", "provider": "simulator", "session": "fine", **given}
    assert refused(refusing_api.post("/api/devices", body), 422, code)["field"] == field
    assert refusing_api.one("SELECT count(*) FROM devices") == 0


def test_how_a_device_is(api: Api) -> None:
    device_id = api.device()["id"]
    broadcast_id = api.launch(people(3))["broadcast_id"]
    api.send_one(broadcast_id)
    device = answered(api.get(f"/api/devices/{device_id}"), 200)
    assert (device["connected"], device["can_send"], device["state"]) == (True, True, "open")
    assert (device["sent_today"], device["sent_this_hour"], device["waiting_count"]) == (1, 1, 2)
    assert device["condition"] == "ready"
    assert device["session_age"] >= 0
    assert device["last_message_ts"]
    assert device["checked_at"]
    assert device["last_error"] is None
    api.execute("UPDATE devices SET can_send = false, error_code = 'restricted', error_reason = 'too many'")
    device = answered(api.get(f"/api/devices/{device_id}"), 200)
    assert device["last_error"] == "WhatsApp has restricted our phone for a time: too many"
    assert device["condition"] == "restricted"
    api.execute("UPDATE devices SET can_send = true")
    api.execute("UPDATE bridges SET away_since = now(), error_code = 'bridge_secret'")
    device = answered(api.get(f"/api/devices/{device_id}"), 200)
    assert (device["connected"], device["can_send"], device["state"]) == (False, False, "bridge_away")
    assert (device["session_age"], device["last_error"]) == (None, "The bridge refused our secret")
    assert device["condition"] == "bridge_away"
    api.execute("UPDATE bridges SET away_since = NULL")
    assert answered(api.ask("PATCH", f"/api/devices/{device_id}", {"hourly_cap": 1}), 200)["condition"] == "at_cap"


def test_change_name_and_pace(api: Api) -> None:
    device_id = api.device()["id"]
    path = f"/api/devices/{device_id}"
    device = answered(api.ask("PATCH", path, {"name": "Other", "min_gap_s": 2}), 200)
    assert (device["name"], device["min_gap_s"], device["max_gap_s"]) == ("Other", 2, 2)
    device = answered(api.ask("PATCH", path, {"min_gap_s": 1, "hourly_cap": 10}), 200)
    assert (device["name"], device["min_gap_s"], device["max_gap_s"]) == ("Other", 1, 2)
    assert (device["hourly_cap"], device["daily_cap"]) == (10, None)
    assert answered(api.ask("PATCH", path, {"hourly_cap": None}), 200)["hourly_cap"] is None
    for wrong in ({"name": None}, {"min_gap_s": None}, {"daily_cap": 0}, {"max_gap_s": 3}, {"provider": "baileys"}):
        refused(api.ask("PATCH", path, wrong), 422, "INVALID")


def test_a_cap_counts_at_once(api: Api) -> None:
    device_id = api.device(daily_cap=10)["id"]
    path = f"/api/devices/{device_id}"

    def closed_until() -> list[str]:
        """All that it may be called: the last hour of a day ends with it."""
        return [
            name
            for (name,) in api.rows(
                "SELECT v.name FROM devices, LATERAL (VALUES"
                " ('open', next_send_at < clock_timestamp() + interval '2 seconds'),"
                " ('hour', next_send_at = date_trunc('hour', clock_timestamp()) + interval '1 hour'),"
                " ('day', next_send_at = date_trunc('day', clock_timestamp()) + interval '1 day')) AS v (name, is_so)"
                " WHERE is_so"
            )
        ]

    left = "date_trunc('hour', clock_timestamp()) + interval '1 hour' - clock_timestamp()"
    until(lambda: api.one(f"SELECT {left} > interval '5 seconds'"), "an hour that does not end meanwhile")
    api.execute(
        "UPDATE devices SET day = now()::date, day_count = 10, hour = date_trunc('hour', now()), hour_count = 10,"
        " next_send_at = date_trunc('day', now()) + interval '1 day'"
    )
    answered(api.ask("PATCH", path, {"name": "Renamed"}), 200)
    assert "day" in closed_until()
    answered(api.ask("PATCH", path, {"daily_cap": 11}), 200)
    assert "open" in closed_until()
    answered(api.ask("PATCH", path, {"daily_cap": 9}), 200)
    assert "day" in closed_until()
    answered(api.ask("PATCH", path, {"daily_cap": None, "hourly_cap": 5}), 200)
    assert "hour" in closed_until()
    api.execute("UPDATE devices SET hour = hour - interval '1 hour', next_send_at = clock_timestamp()")
    answered(api.ask("PATCH", path, {"hourly_cap": 4}), 200)
    assert "open" in closed_until()


def test_deleting_warns_and_then_takes_leads_and_messages(api: Api) -> None:
    gone, kept = api.device(name="Gone"), api.device(name="Kept")
    api.execute(
        "INSERT INTO leads (workspace_id, phone, device_id) SELECT workspace_id, '+97250999000' || n, id"
        " FROM devices, generate_series(1, 4) n WHERE id = :id",
        id=gone["id"],
    )
    lead = api.one("SELECT min(id) FROM leads")
    api.execute(
        "INSERT INTO suppressions (workspace_id, phone, reason, proof) SELECT id, '+972509990001', 'opt_out', 'STOP'"
        " FROM workspaces"
    )
    first = api.launch(people(3), device_ids=[gone["id"]])["broadcast_id"]
    second = api.launch(people(2), device_ids=[kept["id"]], lead_ids=[lead + 1])["broadcast_id"]
    api.send_all(first)
    api.send_all(second)
    path = f"/api/devices/{gone['id']}"
    assert refused(api.ask("DELETE", path), 409, "CONFIRM") == {"leads": 4, "messages": 3}
    told = {"id": gone["id"], "leads": 4, "messages": 3, "still_linked": None}
    assert answered(api.ask("DELETE", f"{path}?confirm=true"), 200) == told
    refused(api.get(path), 404, "NOT_FOUND")
    refused(api.ask("DELETE", f"{path}?confirm=true"), 404, "NOT_FOUND")
    assert api.one("SELECT count(*) FROM messages WHERE campaign_id = :id", id=first) == 0
    assert api.one("SELECT count(*) FROM messages WHERE campaign_id = :id AND lead_id IS NULL", id=second) == 3
    assert api.one("SELECT count(*) FROM leads") == 0
    assert api.rows("SELECT campaign_id, device_name, counts FROM departed_totals") == [(first, "Gone", {"sent": 3})]
    assert api.one("SELECT count(*) FROM suppressions") == 1
    assert api.rows("SELECT subject, details FROM audit WHERE action = 'delete_device'") == [
        (f"device:{gone['id']}", {"name": "Gone", "leads": 4, "messages": 3})
    ]
    assert answered(api.get(f"/api/broadcasts/{first}"), 200)["counts"]["sent"] == 3


def test_a_device_with_messages_to_send_is_not_deleted(api: Api) -> None:
    device = api.device()
    for _ in range(2):
        body = {"device_id": device["id"], "phone": people(1)[0], "text": "Hello"}
        answered(api.post("/api/messages", body), 202)
    path = f"/api/devices/{device['id']}?confirm=true"
    assert refused(api.ask("DELETE", path), 409, "DEVICE_BUSY") == {"queued": 2, "in_flight": 0}
    begun = api.begin(device["id"])
    assert begun is not None
    assert refused(api.ask("DELETE", path), 409, "DEVICE_BUSY") == {"queued": 1, "in_flight": 1}


def test_what_waits_is_moved_or_cancelled_before_a_device_goes(api: Api) -> None:
    going, other = api.device(), api.device()
    api.execute("UPDATE devices SET can_send = true")
    path = f"/api/devices/{going['id']}"

    def queue_one() -> None:
        body = {"device_id": going["id"], "phone": people(1)[0], "text": "Hello"}
        answered(api.post("/api/messages", body), 202)

    queue_one()
    assert answered(api.post(f"{path}/move-waiting"), 200) == {"moved": 1, "left": 0}
    queue_one()
    api.execute("UPDATE devices SET can_send = false WHERE id = :id", id=other["id"])
    assert refused(api.post(f"{path}/move-waiting"), 409, "NOT_POSSIBLE") == {"left": 1}
    assert answered(api.post(f"{path}/cancel-waiting"), 200) == {"cancelled": 1}
    assert answered(api.ask("DELETE", f"{path}?confirm=true"), 200)["messages"] == 1


def test_nothing_is_given_to_a_device_while_it_is_deleted(api: Api) -> None:
    """A single send that comes while the deletion is under way waits for it, and then finds no device."""
    device = api.device()
    body = {"device_id": device["id"], "phone": people(1)[0], "text": "Hello"}
    codes: list[int] = []
    sender = threading.Thread(target=lambda: codes.append(api.post("/api/messages", body).status_code))
    with api.engine.begin() as db:
        db.execute(text("SELECT id FROM devices FOR UPDATE"))
        sender.start()
        until(api.waits_for_a_lock, "the single send waits")
        db.execute(text("DELETE FROM devices"))
    sender.join()
    assert codes == [422]
    assert api.one("SELECT count(*) FROM messages") == 0


def test_a_deleted_phone_is_logged_out(api: Api, simulator: Simulator) -> None:
    gone, kept = api.device(), api.device()
    answered(api.ask("DELETE", f"/api/devices/{gone['id']}?confirm=true"), 200)
    states = [simulator.ask("GET", f"/whatsapp/{one['session']}/status")["state"] for one in (gone, kept)]
    assert states == ["logged_out", "open"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://a..b:80"])
def test_a_deleted_phone_whose_bridge_cannot_log_it_out_is_said_to_be_linked_still(api: Api, url: str) -> None:
    device = answered(
        api.post(
            "/api/devices",
            {"name": "Away", "provider": "simulator", "session": new_session(), "bridge_url": url},
        ),
        201,
    )
    told = answered(api.ask("DELETE", f"/api/devices/{device['id']}?confirm=true"), 200)
    assert "does not answer" in told["still_linked"]
    refused(api.get(f"/api/devices/{device['id']}"), 404, "NOT_FOUND")


def test_a_phone_that_is_not_connected_is_deleted_and_said_to_be_linked_still(api: Api, simulator: Simulator) -> None:
    device = api.device()
    answered(api.post(f"/api/devices/{device['id']}/disconnect"), 200)
    told = answered(api.ask("DELETE", f"/api/devices/{device['id']}?confirm=true"), 200)
    assert "not connected" in told["still_linked"]
    assert simulator.ask("GET", f"/whatsapp/{device['session']}/status")["state"] == "logged_out"


def test_a_session_that_another_phone_has_too_is_left_to_it(api: Api, simulator: Simulator) -> None:
    device, twin = api.device(), api.device()
    api.execute(
        "INSERT INTO bridges (address) VALUES ('http://127.0.0.1:1');"
        " UPDATE devices SET bridge_address = 'http://127.0.0.1:1', session = :session WHERE id = :id",
        session=device["session"],
        id=twin["id"],
    )
    assert answered(api.ask("DELETE", f"/api/devices/{device['id']}?confirm=true"), 200)["still_linked"] is None
    assert simulator.ask("GET", f"/whatsapp/{device['session']}/status")["state"] == "open"


def test_a_phone_of_another_kind_than_its_bridge_is_deleted_and_nothing_asked(api: Api, simulator: Simulator) -> None:
    device = api.device()
    api.execute("UPDATE devices SET provider = 'baileys'")
    api.execute("UPDATE bridges SET provider = 'simulator'")
    told = answered(api.ask("DELETE", f"/api/devices/{device['id']}?confirm=true"), 200)
    assert "another kind" in told["still_linked"]
    assert simulator.ask("GET", f"/whatsapp/{device['session']}/status")["state"] == "open"
