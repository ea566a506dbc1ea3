"""QR and pairing code, start, restart, disconnect, log out (R23); and the switch for all sending."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import requests
from serving import Api, Simulator, answered, new_session, refused
from waiting import until


@pytest.fixture
def unpaired(api: Api) -> dict[str, str]:
    """A device whose session shows its QR code until somebody scans it."""
    body = {"name": "New", "provider": "simulator", "session": f"{new_session()}-qr"}
    device: dict[str, str] = answered(api.post("/api/devices", body), 201)
    return device


def test_a_qr_code_to_scan(api: Api, unpaired: dict[str, str]) -> None:
    path = f"/api/devices/{unpaired['id']}/qr"
    until(lambda: api.get(path).status_code == requests.codes.ok, "there is a QR code")
    qr = answered(api.get(path), 200)
    assert qr["qr"].startswith("2@")
    assert qr["expires_at"]


def test_no_qr_code_for_a_paired_phone(api: Api) -> None:
    device = api.device()
    refused(api.get(f"/api/devices/{device['id']}/qr"), 404, "NO_QR")


def test_a_pairing_code(api: Api, simulator: Simulator, unpaired: dict[str, str]) -> None:
    until(lambda: api.get(f"/api/devices/{unpaired['id']}/qr").ok, "there is a QR code")
    path = f"/api/devices/{unpaired['id']}/pairing-code"
    assert refused(api.post(path, {"phone": "12"}), 422, "INVALID_PHONE")["field"] == "phone"
    assert answered(api.post(path, {"phone": "050-123-4567"}), 200)["code"]
    until(lambda: simulator.can_send(unpaired["session"]), "the phone is paired")
    assert simulator.ask("GET", f"/whatsapp/{unpaired['session']}/status")["phone"] == "+972501234567"


def test_a_phone_is_watched_on_its_way_to_be_paired(api: Api, simulator: Simulator, unpaired: dict[str, str]) -> None:
    path = f"/api/devices/{unpaired['id']}"

    def pairing() -> dict[str, Any]:
        told: dict[str, Any] = answered(api.get(f"{path}/pairing"), 200)
        return told

    shown = until(lambda: (told := pairing())["qr"] and told, "there is a QR code")
    assert (shown["state"], shown["qr"]["qr"][:2], shown["reason"]) == ("waiting", "2@", None)
    assert shown["qr"]["expires_at"]
    answered(api.post(f"{path}/pairing-code", {"phone": "050-123-4567"}), 200)
    assert pairing()["state"] == "scanned"
    until(lambda: pairing()["state"] == "connected", "it is connected")
    assert pairing()["phone"] == "+972501234567"
    answered(api.post(f"{path}/logout"), 200)
    assert pairing() == {"state": "expired", "qr": None, "phone": None, "code": None, "reason": None}
    assert api.rows("SELECT action FROM audit ORDER BY id") == [("add_device",), ("pairing_code",), ("logout_session",)]
    api.execute("UPDATE devices SET session = 'nowhere'")
    assert (pairing()["state"], pairing()["code"]) == ("failed", "no_session")
    refused(api.get("/api/devices/999/pairing"), 404, "NOT_FOUND")


def test_commands_reach_the_bridge_and_ask_for_a_look(api: Api, simulator: Simulator) -> None:
    device = api.device()
    path = f"/api/devices/{device['id']}"
    for command, state in (("disconnect", "closed"), ("start", "starting"), ("logout", "logged_out")):
        api.execute("UPDATE bridges SET next_probe_at = 'infinity'")
        assert answered(api.post(f"{path}/{command}"), 200) == {"device_id": device["id"], "command": command}
        assert simulator.ask("GET", f"/whatsapp/{device['session']}/status")["state"] == state
        assert api.one("SELECT next_probe_at <= clock_timestamp() FROM bridges")
    answered(api.post(f"{path}/restart"), 200)
    assert refused(api.post(f"{path}/explode"), 422, "INVALID")["field"] == "command"
    commands = ("disconnect_session", "start_session", "logout_session", "restart_session")
    audited = api.rows("SELECT who, action, subject FROM audit WHERE action <> 'add_device' ORDER BY id")
    assert audited == [("api", command, f"device:{device['id']}") for command in commands]


def test_a_session_that_is_sending_is_left_alone(api: Api, simulator: Simulator) -> None:
    device = api.device()
    session = device["session"]
    body = {"key": f"{session}.1", "to": "972501199012@s.whatsapp.net", "kind": "text", "text": "Slow", "deadline_s": 4}
    sending = threading.Thread(target=lambda: simulator.ask("POST", f"/whatsapp/{session}/messages", body))
    sending.start()
    until(lambda: simulator.ask("GET", f"/whatsapp/{session}/sending-status")["is_sending"], "it is sending")
    for command in ("restart", "disconnect", "logout"):
        refused(api.post(f"/api/devices/{device['id']}/{command}"), 409, "SENDING")
    sending.join()
    answered(api.post(f"/api/devices/{device['id']}/restart"), 200)


def test_a_session_that_the_bridge_does_not_know(api: Api) -> None:
    device = api.device()
    api.execute("UPDATE devices SET session = :session", session=new_session())
    refused(api.post(f"/api/devices/{device['id']}/restart"), 409, "NO_SESSION")


def test_a_bridge_that_is_away(api: Api) -> None:
    device = api.device()
    api.execute("INSERT INTO bridges (address) VALUES ('http://127.0.0.1:9')")
    api.execute("UPDATE devices SET bridge_address = 'http://127.0.0.1:9'")
    path = f"/api/devices/{device['id']}"
    assert refused(api.post(f"{path}/start"), 503, "BRIDGE_AWAY") == {"code": "bridge_unreachable"}
    refused(api.get(f"{path}/qr"), 503, "BRIDGE_AWAY")
    told = answered(api.get(f"{path}/pairing"), 200)
    assert (told["state"], told["reason"]) == ("failed", "The bridge could not be reached")
    assert api.one("SELECT count(*) FROM audit WHERE action = 'start_session'") == 0


def test_status_and_the_switch(api: Api) -> None:
    status = answered(api.get("/api/whatsapp/status"), 200)
    assert status == {"connected": False, "can_send": False, "sending_stopped_at": None, "devices": []}
    api.device()
    api.device()
    api.execute("UPDATE devices SET connected = true, can_send = id = (SELECT max(id) FROM devices)")
    status = answered(api.get("/api/whatsapp/status"), 200)
    assert (status["connected"], status["can_send"]) == (True, True)
    assert [device["can_send"] for device in status["devices"]] == [False, True]
    assert answered(api.post("/api/stop"), 200) == {"sending": False}
    assert answered(api.get("/api/whatsapp/status"), 200)["sending_stopped_at"]
    assert api.one("SELECT sending_stopped_at IS NOT NULL FROM workspaces")
    assert answered(api.post("/api/go"), 200) == {"sending": True}
    assert answered(api.get("/api/whatsapp/status"), 200)["sending_stopped_at"] is None
