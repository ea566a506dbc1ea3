"""Numbers of Meta's Cloud API over REST: added when Meta knows them, given new tokens, and never telling one (R28)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from graph import BODY, Graph
from graph_world import Number
from serving import CLOUD_TOKEN_KEY, Api, answered, new_session, refused
from sqlalchemy import Engine

import wiring
from bridge.directory import CLOUD
from db.engine import run
from services import health
from services.sessions import CLOUD as CLOUD_OF_SERVICES
from settings import Settings

EXPIRED = "refuse:190"


@pytest.fixture
def number(graph: Graph) -> Number:
    return graph.add_number(phone="972501234567")


def body(number: Number, **more: Any) -> dict[str, Any]:
    return {
        "name": "Sales",
        "provider": "cloud",
        "phone_number_id": number.id,
        "business_account_id": number.business_id,
        "token": number.token,
        **more,
    }


def added(api: Api, number: Number, **more: Any) -> dict[str, Any]:
    device: dict[str, Any] = answered(api.post("/api/devices", body(number, **more)), 201)
    return device


@pytest.fixture
def look(engine: Engine, graph: Graph) -> Callable[[], None]:
    """What a worker's health check does."""
    settings = Settings(
        _env_file=None,
        bridge_url="http://127.0.0.1:9",
        bridge_secret="secret",
        cloud_token_key=CLOUD_TOKEN_KEY,
        cloud_graph_url=graph.url,
    )
    bridges, _ = wiring.bridges(settings, engine)

    def look_now() -> None:
        roster = bridges.at(CLOUD).sessions(10)
        run(engine, lambda db: health.record(db, CLOUD, roster, interval_s=30))

    return look_now


def test_a_number_is_added_as_meta_knows_it(
    cloud_api: Api, graph: Graph, number: Number, look: Callable[[], None]
) -> None:
    graph.add_template(number.business_id, "hello", "en_US", BODY)
    device = added(cloud_api, number)
    assert (device["session"], device["phone"], device["provider"]) == (number.id, "+972501234567", "cloud")
    assert (device["business_account_id"], device["last_error"]) == (number.business_id, None)
    assert (device["min_gap_s"], device["max_gap_s"], device["daily_cap"]) == (0.0125, 0.0125, None)
    assert cloud_api.rows("SELECT in_flight_limit, pair_gap_s, bridge_address FROM devices") == [(20, 6.0, "cloud")]
    assert cloud_api.rows("SELECT provider FROM bridges WHERE address = 'cloud'") == [("cloud",)]
    assert CLOUD_OF_SERVICES == CLOUD
    assert graph.world.subscribed == [number.business_id]
    listed = answered(cloud_api.get("/api/templates"), 200)["templates"]
    assert [(each["name"], each["device_ids"]) for each in listed] == [("hello", [device["id"]])]
    look()
    device = answered(cloud_api.get(f"/api/devices/{device['id']}"), 200)
    assert (device["condition"], device["can_send"]) == ("ready", True)
    assert (device["quality"], device["messaging_limit"]) == ("GREEN", "TIER_1K")


def test_its_id_may_be_called_its_session(cloud_api: Api, number: Number) -> None:
    asked = body(number, session=number.id)
    asked.pop("phone_number_id")
    assert answered(cloud_api.post("/api/devices", asked), 201)["session"] == number.id
    assert refused(cloud_api.post("/api/devices", asked), 409, "SESSION_TAKEN")["field"] == "session"


def test_no_token_is_ever_told(cloud_api: Api, graph: Graph, number: Number, caplog: pytest.LogCaptureFixture) -> None:
    """Neither in answers, nor in the log, nor anywhere in the database."""
    caplog.set_level(logging.DEBUG)
    other = graph.add_number()
    device = added(cloud_api, number)
    path = f"/api/devices/{device['id']}"
    answers = [
        cloud_api.post("/api/devices", body(other, token="EAAwrongtoken")),
        cloud_api.ask("PATCH", path, {"token": "EAAwrongtoken"}),
        cloud_api.ask("PATCH", path, {"token": ["EAAwrongtoken"]}),
        cloud_api.ask("PATCH", path, {"token": number.token, "name": "Other"}),
        cloud_api.get(path),
        cloud_api.get("/api/devices"),
        cloud_api.get("/api/whatsapp/status"),
        cloud_api.post("/api/templates/sync"),
    ]
    told = "".join(answer.text for answer in answers) + caplog.text + everything(cloud_api)
    for token in (number.token, "EAAwrongtoken"):
        assert token not in told
        assert token.encode().hex() not in told
    assert cloud_api.one("SELECT octet_length(sealed_token) > 28 FROM cloud_numbers")


def everything(api: Api) -> str:
    """All rows of all tables as text; what is binary in hexadecimal."""
    tables = [
        row.table_name
        for row in api.rows("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
    ]
    assert {"cloud_numbers", "audit", "idempotency"} <= set(tables)
    return "".join(str(api.rows(f"SELECT row_to_json(t)::text FROM {table} t")) for table in tables)


def test_what_meta_does_not_know_is_not_added(cloud_api: Api, graph: Graph, number: Number) -> None:
    stranger = graph.add_number()
    wrong = [
        body(number, token="wrong"),
        body(number, token=stranger.token),
        body(number, business_account_id=stranger.business_id, token=stranger.token),
    ]
    for each in wrong:
        answer = cloud_api.post("/api/devices", each)
        assert refused(answer, 422, "META_REFUSED")["field"] == "token"
    graph.close()
    assert refused(cloud_api.post("/api/devices", body(number)), 503, "BRIDGE_AWAY") == {"code": "bridge_unreachable"}
    assert cloud_api.one("SELECT count(*) FROM devices") == 0
    assert graph.world.subscribed == []


def test_metas_own_words_are_told(cloud_api: Api, graph: Graph, number: Number) -> None:
    graph.trouble(number.business_id, EXPIRED)
    answer = cloud_api.post("/api/devices", body(number))
    assert refused(answer, 422, "META_REFUSED")["code"] == "token_refused"
    assert answer.json()["message"].startswith("Meta does not take this number with this token: ")
    assert len(answer.json()["message"]) > 60


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"token": None}, "INVALID", "token"),
        ({"token": ""}, "INVALID", "token"),
        ({"token": " \n"}, "INVALID_TOKEN", "token"),
        ({"token": "two words"}, "INVALID_TOKEN", "token"),
        ({"token": "עברית"}, "INVALID_TOKEN", "token"),
        ({"token": "x" * 8193}, "INVALID", "token"),
        ({"business_account_id": None}, "INVALID", "business_account_id"),
        ({"business_account_id": "../1"}, "INVALID_ID", "business_account_id"),
        ({"phone_number_id": "12a"}, "INVALID_ID", "phone_number_id"),
        ({"phone_number_id": "١٢"}, "INVALID_ID", "phone_number_id"),
        ({"phone_number_id": None}, "INVALID", "phone_number_id"),
        ({"session": "7"}, "INVALID", "session"),
        ({"phone": "050-123-4567"}, "INVALID", "phone"),
        ({"bridge_url": "http://127.0.0.1:1"}, "INVALID", "bridge_url"),
    ],
)
def test_what_is_wrong_is_named(cloud_api: Api, number: Number, given: dict[str, Any], code: str, field: str) -> None:
    assert refused(cloud_api.post("/api/devices", body(number, **given)), 422, code)["field"] == field


def test_without_a_key_there_are_no_official_numbers(api: Api, number: Number) -> None:
    refused(api.post("/api/devices", body(number)), 422, "CLOUD_NOT_SET_UP")
    refused(api.post("/api/templates/sync"), 422, "CLOUD_NOT_SET_UP")


def test_a_number_whose_token_is_refused_is_given_another(
    cloud_api: Api, graph: Graph, number: Number, look: Callable[[], None]
) -> None:
    device = added(cloud_api, number)
    path = f"/api/devices/{device['id']}"
    look()
    graph.set(number.id, token="EAAnew")
    look()
    device = answered(cloud_api.get(path), 200)
    assert (device["condition"], device["can_send"]) == ("token_refused", False)
    assert refused(cloud_api.ask("PATCH", path, {"token": "EAAwrong", "name": "New"}), 422, "META_REFUSED")
    assert answered(cloud_api.get(path), 200)["name"] == "Sales"
    cloud_api.execute("UPDATE bridges SET next_probe_at = clock_timestamp() + interval '1 hour'")
    assert answered(cloud_api.ask("PATCH", path, {"token": "  EAAnew\n", "name": "New"}), 200)["name"] == "New"
    assert cloud_api.one("SELECT next_probe_at <= clock_timestamp() FROM bridges WHERE address = 'cloud'"), (
        "it is looked at soon"
    )
    look()
    assert answered(cloud_api.get(path), 200)["condition"] == "ready"
    assert cloud_api.rows("SELECT action, details FROM audit ORDER BY id") == [
        ("add_device", {}),
        ("replace_token", {}),
        ("change_device", {"name": "New"}),
    ]


def test_only_an_official_number_has_a_token(cloud_api: Api) -> None:
    phone = cloud_api.device()
    refused(cloud_api.ask("PATCH", f"/api/devices/{phone['id']}", {"token": "EAAnew"}), 422, "NOT_OFFICIAL")
    refused(cloud_api.ask("PATCH", "/api/devices/999", {"token": "EAAnew"}), 404, "NOT_FOUND")
    assert refused(cloud_api.ask("PATCH", f"/api/devices/{phone['id']}", {"token": None}), 422, "INVALID")
    asked = {"name": "A", "provider": "baileys", "session": new_session(), "token": "EAAnew"}
    assert refused(cloud_api.post("/api/devices", asked), 422, "INVALID")["field"] == "token"


def test_it_is_neither_paired_nor_disconnected(cloud_api: Api, number: Number) -> None:
    path = f"/api/devices/{added(cloud_api, number)['id']}"
    for method, verb, sent in (
        ("GET", "qr", None),
        ("GET", "pairing", None),
        ("POST", "pairing-code", {"phone": "050-123-4567"}),
        ("POST", "disconnect", None),
        ("POST", "logout", None),
    ):
        refused(cloud_api.ask(method, f"{path}/{verb}", sent), 409, "NOT_FOR_CLOUD")
    for verb in ("start", "restart"):
        answered(cloud_api.post(f"{path}/{verb}"), 200)


def test_its_pace_is_a_setting(cloud_api: Api, graph: Graph, number: Number) -> None:
    fast = added(cloud_api, number, min_gap_s=0.001, daily_cap=1000)
    assert (fast["min_gap_s"], fast["max_gap_s"], fast["daily_cap"]) == (0.001, 0.001, 1000)
    path = f"/api/devices/{fast['id']}"
    for gap_s in (0.05, 0.0125):
        device = answered(cloud_api.ask("PATCH", path, {"min_gap_s": gap_s}), 200)
        assert (device["min_gap_s"], device["max_gap_s"]) == (gap_s, gap_s)
    device = answered(cloud_api.ask("PATCH", path, {"hourly_cap": 5}), 200)
    assert (device["min_gap_s"], device["max_gap_s"]) == (0.0125, 0.0125)


def test_a_number_goes_with_all_that_was_its_own(cloud_api: Api, graph: Graph, number: Number) -> None:
    graph.add_template(number.business_id, "hello", "en_US", BODY)
    device = added(cloud_api, number)
    answered(cloud_api.ask("DELETE", f"/api/devices/{device['id']}?confirm=true"), 200)
    assert cloud_api.one("SELECT count(*) FROM cloud_numbers") == 0
    assert answered(cloud_api.get("/api/templates"), 200)["templates"] == []
    assert answered(cloud_api.post("/api/templates/sync"), 200) == {"accounts": []}
    assert cloud_api.one("SELECT count(*) FROM templates") == 0
