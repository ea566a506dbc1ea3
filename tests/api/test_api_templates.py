"""Templates and files over REST (R28)."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import requests
from graph import BODY, Graph
from graph_world import Number
from serving import Api, answered, refused

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100
MB = 1024 * 1024


@pytest.fixture
def number(cloud_api: Api, graph: Graph) -> Number:
    """A number of ours."""
    number = graph.add_number()
    asked = {
        "name": "Sales",
        "provider": "cloud",
        "phone_number_id": number.id,
        "business_account_id": number.business_id,
        "token": number.token,
    }
    answered(cloud_api.post("/api/devices", asked), 201)
    return number


def listed(api: Api) -> dict[tuple[str, str], dict[str, Any]]:
    return {(each["name"], each["language"]): each for each in answered(api.get("/api/templates"), 200)["templates"]}


def test_templates_are_as_meta_has_them_after_a_synchronisation(cloud_api: Api, graph: Graph, number: Number) -> None:
    assert listed(cloud_api) == {}
    for language in ("en_US", "he"):
        graph.add_template(number.business_id, "hello", language, BODY)
    graph.add_template(number.business_id, "sale", "en_US", BODY, status="REJECTED", category="UTILITY")
    assert listed(cloud_api) == {}
    account = {"business_account_id": number.business_id, "templates": 3, "trouble": None, "unsubscribed": None}
    assert answered(cloud_api.post("/api/templates/sync"), 200) == {"accounts": [account]}
    known = listed(cloud_api)
    assert set(known) == {("hello", "en_US"), ("hello", "he"), ("sale", "en_US")}
    sale = known["sale", "en_US"]
    assert (sale["status"], sale["category"], sale["components"]) == ("REJECTED", "UTILITY", BODY)
    assert sale["places"] == [{"key": "body.1", "around": "Hello {{1}}!"}]
    assert (sale["header_file"], sale["unsupported"]) == (None, None)
    graph.world.templates[number.business_id].clear()
    answered(cloud_api.post("/api/templates/sync"), 200)
    assert listed(cloud_api) == {}


def test_what_each_asks_for(cloud_api: Api, graph: Graph, number: Number) -> None:
    graph.add_template(number.business_id, "picture", "en", [{"type": "HEADER", "format": "IMAGE"}, *BODY])
    graph.add_template(number.business_id, "cards", "en", [*BODY, {"type": "CAROUSEL", "cards": []}])
    answered(cloud_api.post("/api/templates/sync"), 200)
    known = listed(cloud_api)
    assert known["picture", "en"]["header_file"] == "image"
    assert known["cards", "en"]["places"] == []
    assert "carousel" in known["cards", "en"]["unsupported"]


def test_what_meta_refuses_is_told_and_changes_nothing(cloud_api: Api, graph: Graph, number: Number) -> None:
    graph.add_template(number.business_id, "hello", "en_US", BODY)
    answered(cloud_api.post("/api/templates/sync"), 200)
    for trouble in ("refuse:190", "http:500"):
        graph.trouble(number.business_id, trouble)
        (account,) = answered(cloud_api.post("/api/templates/sync"), 200)["accounts"]
        assert account["templates"] == 0
        assert account["trouble"]
    assert set(listed(cloud_api)) == {("hello", "en_US")}


def kept(api: Api, content: bytes, name: str = "a.png", mimetype: str = "image/png") -> requests.Response:
    return api.post("/api/media", files={"file": (name, content, mimetype)})


def test_a_file_is_kept_once_and_described(api: Api) -> None:
    first = answered(kept(api, PNG), 201)
    assert first == {
        "media_id": first["media_id"],
        "kind": "image",
        "mimetype": "image/png",
        "filename": "a.png",
        "size": len(PNG),
    }
    assert answered(kept(api, PNG, mimetype="application/x-executable"), 201) == first
    assert answered(api.get(f"/api/media/{first['media_id']}"), 200) == first
    refused(api.get("/api/media/999"), 404, "NOT_FOUND")


def test_files_that_whatsapp_does_not_take(api: Api) -> None:
    assert refused(kept(api, b"MZ\x90\0"), 422, "UNSUPPORTED_MEDIA") == {"field": "file"}
    assert refused(kept(api, b""), 422, "EMPTY_FILE") == {"field": "file"}
    too_large = refused(kept(api, PNG.ljust(5 * MB + 1, b"\0")), 413, "TOO_LARGE")
    assert too_large == {"field": "file", "limit_bytes": 5 * MB}
    document = b"%PDF-1.7\n".ljust(16 * MB, b"\0")
    assert answered(kept(api, document, "a.pdf"), 201)["size"] == 16 * MB
    refused(kept(api, document + b"\0", "a.pdf"), 413, "TOO_LARGE")
    refused(kept(api, b"%PDF-1.7\n".ljust(18 * MB, b"\0"), "a.pdf"), 413, "TOO_LARGE")
    assert api.one("SELECT count(*) FROM media") == 1


def test_a_file_is_a_field_of_a_form(api: Api) -> None:
    assert refused(api.post("/api/media"), 422, "INVALID")["field"] == "file"
    assert refused(api.post("/api/media", {"file": base64.b64encode(PNG).decode()}), 422, "INVALID")["field"] == "file"
