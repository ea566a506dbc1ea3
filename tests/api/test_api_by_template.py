"""Launches and single sends by a template of Meta's, and free text from official numbers, as clients meet them (R28)."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from graph import BODY, Graph
from graph_world import Number
from serving import Api, answered, people, refused

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100
FILLED = {"name": "hello", "language": "en", "values": {"body.1": "{name|there}"}}


def add(api: Api, number: Number) -> int:
    """A number of ours, with its account's templates; its device's id."""
    asked = {
        "name": f"Number {number.id}",
        "provider": "cloud",
        "phone_number_id": number.id,
        "business_account_id": number.business_id,
        "token": number.token,
    }
    return int(answered(api.post("/api/devices", asked), 201)["id"])


@pytest.fixture
def number(cloud_api: Api, graph: Graph) -> int:
    """A number whose account has *hello* in English, and *sale* rejected."""
    number = graph.add_number()
    graph.add_template(number.business_id, "hello", "en", BODY)
    graph.add_template(number.business_id, "sale", "en", BODY, status="REJECTED")
    graph.add_template(number.business_id, "picture", "en", [{"type": "HEADER", "format": "IMAGE"}, *BODY])
    graph.add_template(number.business_id, "cards", "en", [*BODY, {"type": "CAROUSEL", "cards": []}])
    return add(cloud_api, number)


def wrote(api: Api, device_id: int, phone: str) -> None:
    """This person has just written to a number."""
    api.execute(
        "INSERT INTO conversations (device_id, phone, last_inbound_at) VALUES (:id, :phone, clock_timestamp())",
        id=device_id,
        phone=phone,
    )


def test_a_broadcast_by_template_is_launched_and_shown(cloud_api: Api, number: int) -> None:
    cloud_api.device()  # which templates do not go out from
    dana, avi = people(2)
    body = {"template": FILLED, "recipients": [{"phone": dana, "name": "Dana"}, avi]}
    answer = answered(cloud_api.post("/api/broadcasts", body), 202)
    assert (answer["status"], answer["queued_count"], answer["idempotent"]) == ("accepted", 2, False)
    again = answered(cloud_api.post("/api/broadcasts", body), 202)
    assert (again["broadcast_id"], again["idempotent"]) == (answer["broadcast_id"], True)
    shown = answered(cloud_api.get(f"/api/broadcasts/{answer['broadcast_id']}"), 200)
    assert shown["template"] == {**FILLED, "media_id": None}
    assert cloud_api.rows("SELECT device_id FROM campaign_devices") == [(number,)]
    cloud_api.send_all(answer["broadcast_id"])
    story = answered(
        cloud_api.get(f"/api/messages/{cloud_api.one('SELECT id FROM messages WHERE phone = :p', p=dana)}"), 200
    )
    assert (story["status"], story["text"]) == ("sent", "Hello Dana!")
    text = cloud_api.launch(people(1), device_ids=[cloud_api.device()["id"]])["broadcast_id"]
    assert answered(cloud_api.get(f"/api/broadcasts/{text}"), 200)["template"] is None


def test_a_broadcast_by_template_goes_to_the_people_of_a_file(cloud_api: Api, number: int) -> None:
    dana = people(1)[0]

    def upload(**form: str) -> Any:
        files = {"file": ("people.csv", f"phone,name\n{dana},Dana\n".encode(), "text/csv")}
        return cloud_api.ask("POST", "/api/broadcasts/csv", data=form, files=files)

    answer = answered(upload(template=json.dumps(FILLED)), 202)
    assert answer["queued_count"] == 1
    assert cloud_api.one("SELECT template ->> 'name' FROM campaigns") == "hello"
    for form, field, words in (
        ({}, "message", "is missing"),
        ({"template": "{"}, "template", "is not JSON"),
        ({"template": "[" * 100_000}, "template", "is not JSON"),
        ({"template": '"hello"'}, "template", "JSON object"),
        ({"template": '{"name": "hello"}'}, "template.language", "is missing"),
        ({"template": json.dumps(FILLED), "message": "Hello"}, "message", "cannot go together with a template"),
    ):
        response = upload(**form)
        assert refused(response, 422, "INVALID")["field"] == field
        assert words in response.json()["message"]


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({}, "message", "is missing"),
        ({"template": None}, "message", "is missing"),
        ({"template": FILLED, "message": "Hello"}, "message", "cannot go together with a template"),
        ({"template": FILLED, "message": ""}, "message", "cannot go together with a template"),
        ({"template": {**FILLED, "name": ""}}, "template.name", "must not be empty"),
        ({"template": {**FILLED, "name": "x" * 513}}, "template.name", "512"),
        ({"template": {**FILLED, "language": None}}, "template.language", "must be text"),
        ({"template": {**FILLED, "values": []}}, "template.values", "JSON object"),
        ({"template": {**FILLED, "values": {"body.1": 7}}}, "template.values.body.1", "must be text"),
        ({"template": {**FILLED, "values": {"body.1": "a\0"}}}, "template.values.body.1", "NUL"),
        ({"template": {**FILLED, "media_id": 0}}, "template.media_id", "at least 1"),
        ({"template": {**FILLED, "components": []}}, "template.components", "is not a field"),
    ],
)
def test_a_wrong_field_of_a_template_is_named(refusing_api: Api, given: dict[str, Any], field: str, words: str) -> None:
    response = refusing_api.post("/api/broadcasts", {"recipients": ["0501234567"], **given})
    assert refused(response, 422, "INVALID")["field"] == field
    assert words in response.json()["message"]
    single = {"text" if name == "message" else name: value for name, value in given.items()}
    response = refusing_api.post("/api/messages", {"device_id": 1, "phone": "0501234567", **single})
    assert refused(response, 422, "INVALID")["field"] == field.replace("message", "text")


def test_what_is_wrong_with_a_template_is_said(cloud_api: Api, graph: Graph, number: int) -> None:
    other = add(cloud_api, graph.add_number())
    simulated = cloud_api.device()["id"]
    paper = answered(
        cloud_api.post("/api/media", files={"file": ("a.pdf", b"%PDF-1.7\n" + b"\0" * 100, "application/pdf")}), 201
    )["media_id"]
    for changes, device_ids, status, code in (
        ({"name": "bye"}, None, 422, "TEMPLATE_NOT_THERE"),
        ({"name": "sale"}, None, 409, "TEMPLATE_NOT_APPROVED"),
        ({"name": "cards"}, None, 422, "TEMPLATE_UNSUPPORTED"),
        ({"values": {}}, None, 422, "TEMPLATE_NOT_FILLED"),
        ({"values": {"body.1": "{name"}}, None, 422, "BAD_MESSAGE"),
        ({"values": {"body.9": "x"}}, None, 422, "UNKNOWN_PLACE"),
        ({"name": "picture"}, None, 422, "TEMPLATE_NEEDS_FILE"),
        ({"name": "picture", "media_id": paper}, None, 422, "WRONG_FILE"),
        ({"name": "picture", "media_id": 987_654}, None, 422, "UNKNOWN_MEDIA"),
        ({}, [number, other], 422, "TEMPLATE_NOT_THERE"),
        ({}, [simulated], 422, "NOT_OFFICIAL"),
        ({}, [4711], 422, "UNKNOWN_DEVICE"),
    ):
        body = {"template": {**FILLED, **changes}, "recipients": people(1)}
        refused(cloud_api.post("/api/broadcasts", {**body, "device_ids": device_ids}), status, code)
        if code not in ("BAD_MESSAGE", "UNKNOWN_DEVICE"):  # where its values are no templates
            single = {"device_id": (device_ids or [number])[-1], "phone": people(1)[0], "template": body["template"]}
            refused(cloud_api.post("/api/messages", single), status, code)
    assert cloud_api.one("SELECT count(*) FROM messages") == 0
    assert cloud_api.one("SELECT count(*) FROM campaigns") == 0


def test_accounts_with_another_text_under_one_name_are_not_mixed(cloud_api: Api, graph: Graph, number: int) -> None:
    stranger = graph.add_number()
    graph.add_template(stranger.business_id, "hello", "en", [{"type": "BODY", "text": "Bye {{1}}!"}])
    other = add(cloud_api, stranger)
    body = {"template": FILLED, "recipients": people(1), "device_ids": [number, other]}
    assert refused(cloud_api.post("/api/broadcasts", body), 409, "TEMPLATE_CHANGED")["device_id"] == other


def test_free_text_from_an_official_number_needs_open_windows(cloud_api: Api, number: int) -> None:
    simulated = cloud_api.device()["id"]
    inside, outside = people(2)
    wrote(cloud_api, number, inside)
    body = {"message": "Hello", "recipients": [inside, outside], "device_ids": [number]}
    details = refused(cloud_api.post("/api/broadcasts", body), 409, "OUTSIDE_WINDOW")
    assert details == {"outside_count": 1, "sample": [{"phone": outside, "row": 2}]}
    mixed = {**body, "device_ids": [number, simulated]}
    assert refused(cloud_api.post("/api/broadcasts", mixed), 422, "MIXED_KINDS")["official"] == [number]
    assert answered(cloud_api.post("/api/broadcasts", {**body, "recipients": [inside]}), 202)["queued_count"] == 1
    single = {"device_id": number, "phone": outside, "text": "Hello"}
    assert refused(cloud_api.post("/api/messages", single), 409, "OUTSIDE_WINDOW")["field"] == "phone"
    answered(cloud_api.post("/api/messages", {**single, "phone": inside}), 202)


def test_a_single_send_by_template_is_shown_as_it_goes_out(cloud_api: Api, number: int) -> None:
    picture = answered(cloud_api.post("/api/media", files={"file": ("a.png", PNG, "image/png")}), 201)["media_id"]
    template = {"name": "picture", "language": "en", "values": {"body.1": "{Dana}"}, "media_id": picture}
    body = {"device_id": number, "phone": people(1)[0], "template": template}
    queued = answered(cloud_api.post("/api/messages", body), 202)
    story = answered(cloud_api.get(f"/api/messages/{queued['id']}"), 200)
    assert (story["status"], story["text"]) == ("queued", "Hello {Dana}!")


def test_a_key_is_known_again_that_was_used_before_there_were_templates(api: Api) -> None:
    """Keys are kept for a day, over an update too."""
    device = api.device()
    body = {"device_id": device["id"], "phone": people(1)[0], "text": "Hello"}
    answered(api.post("/api/messages", body, headers={"Idempotency-Key": "mine"}), 202)
    asked = json.dumps(["/api/messages", body], sort_keys=True).encode()
    stored = api.one("SELECT request_hash FROM idempotency WHERE request_hash <> ''")
    assert stored == hashlib.sha256(asked).hexdigest()
