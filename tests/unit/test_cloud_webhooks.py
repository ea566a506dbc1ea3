"""Meta's webhooks read into events: what each piece becomes, that it has one id, and that nothing is lost or raises."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bridge.cloud.piece import Piece
from bridge.cloud.webhooks import NOBODY, read

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
NUMBER, BUSINESS = "106540352242922", "102290129340398"
METADATA = {"display_phone_number": "15550783881", "phone_number_id": NUMBER}
STATUS = {
    "id": "wamid.HBgL",
    "status": "delivered",
    "timestamp": "1790000000",
    "recipient_id": "972501234567",
    "biz_opaque_callback_data": "12.3",
    "pricing": {"billable": True, "pricing_model": "PMP", "category": "marketing"},
}
TOLD = datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)  # 1790000000
MESSAGE = {"from": "972501234567", "id": "wamid.in", "timestamp": "1790000000", "type": "text", "text": {"body": "Hi"}}
ERROR = {
    "code": 131026,
    "title": "Message undeliverable",
    "message": "Message undeliverable",
    "error_data": {"details": "Message Undeliverable."},
}


def body(field: str, value: Any, **entry: Any) -> dict[str, Any]:
    changes = [{"field": field, "value": value}]
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": BUSINESS, "time": 1790000001, "changes": changes, **entry}],
    }


def messages(**value: Any) -> dict[str, Any]:
    return body("messages", {"messaging_product": "whatsapp", "metadata": METADATA, **value})


def one(posted: Any) -> Piece:
    (piece,) = read(json.dumps(posted).encode(), NOW)
    return piece


def test_a_status() -> None:
    piece = one(messages(statuses=[STATUS]))
    assert (piece.type, piece.session, piece.at) == ("receipt", NUMBER, TOLD)
    assert piece.data == {"message_id": "wamid.HBgL", "key": "12.3", "status": "delivered", "error": None}
    assert piece.event_id.startswith("cloud:")


def test_a_status_without_our_key_or_number_is_still_a_receipt() -> None:
    """The message is found by Meta's id of it."""
    bare = {"id": "wamid.x", "status": "read", "timestamp": "1790000000"}
    piece = one(body("messages", {"statuses": [bare]}))
    assert (piece.type, piece.session) == ("receipt", BUSINESS)
    assert (piece.data["key"], piece.data["message_id"]) == (None, "wamid.x")


def test_what_failed_says_why_in_our_code_and_in_their_words() -> None:
    assert one(messages(statuses=[STATUS | {"status": "failed", "errors": [ERROR]}])).data == {
        "message_id": "wamid.HBgL",
        "key": "12.3",
        "status": "failed",
        "error": "undeliverable",
        "provider_code": 131026,
        "reason": "Message Undeliverable.",
        "retryable": False,
        "retry_after_s": None,
        "opts_out": False,
    }


@pytest.mark.parametrize(
    ("errors", "code", "retryable", "opts_out"),
    [
        ([{"code": 131056, "title": "Pair rate limit"}], "pair_limit", True, False),
        ([{"code": "131050", "title": "Opted out"}], "opted_out", False, True),
        ([{"code": 10**9, "title": "New"}], "provider_error", False, False),
        ([{"code": True}, 7], "provider_error", False, False),
        ([], "provider_error", False, False),
        (None, "provider_error", False, False),
        ("131026", "provider_error", False, False),
    ],
)
def test_errors_of_every_shape(errors: Any, code: str, retryable: bool, opts_out: bool) -> None:
    data = one(messages(statuses=[STATUS | {"status": "failed", "errors": errors}])).data
    assert (data["error"], data["retryable"], data["opts_out"]) == (code, retryable, opts_out)
    assert data["reason"]


def test_a_message_of_a_person() -> None:
    contact = {"profile": {"name": "Dana"}, "wa_id": "972501234567"}
    piece = one(messages(contacts=[contact], messages=[MESSAGE]))
    assert (piece.type, piece.session, piece.at) == ("inbound", NUMBER, TOLD)
    assert piece.data == {
        "message_id": "wamid.in",
        "from": "+972501234567",
        "name": "Dana",
        "kind": "text",
        "text": "Hi",
        "media": None,
    }


@pytest.mark.parametrize(
    ("more", "kind", "text", "media"),
    [
        ({"type": "button", "button": {"payload": "p", "text": "Stop"}}, "text", "Stop", None),
        (
            {"type": "interactive", "interactive": {"type": "list_reply", "list_reply": {"id": "1", "title": "Two"}}},
            "text",
            "Two",
            None,
        ),
        (
            {"type": "image", "image": {"caption": "Look", "mime_type": "image/jpeg", "sha256": "x", "id": "800"}},
            "image",
            "Look",
            {"id": "800", "mimetype": "image/jpeg", "filename": None},
        ),
        (
            {"type": "document", "document": {"filename": "a.pdf", "mime_type": "application/pdf", "id": 800}},
            "document",
            "a.pdf",
            {"id": "800", "mimetype": "application/pdf", "filename": "a.pdf"},
        ),
        ({"type": "contacts", "contacts": [{}]}, "contact", None, None),
        ({"type": "unsupported", "errors": [{"code": 131051}]}, "unsupported", None, None),
        ({"type": "image", "image": "800"}, "image", None, None),
    ],
)
def test_kinds_of_messages(more: dict[str, Any], kind: str, text: str | None, media: Any) -> None:
    data = one(messages(messages=[{**MESSAGE, **more}])).data
    assert (data["kind"], data["text"], data["media"], data["name"]) == (kind, text, media, None)


def test_a_wish_for_no_more_offers() -> None:
    wish = {
        "wa_id": "972501234567",
        "detail": "User requested to stop marketing messages",
        "category": "marketing_messages",
        "value": "stop",
        "timestamp": 1790000000,
    }
    piece = one(body("user_preferences", {"metadata": METADATA, "user_preferences": [wish]}))
    assert (piece.type, piece.session, piece.at) == ("preference", NUMBER, TOLD)
    assert piece.data["phone"] == "+972501234567"
    assert piece.data["value"] == "stop"


@pytest.mark.parametrize(
    ("field", "value", "scope", "session"),
    [
        ("account_update", {"event": "ACCOUNT_DELETED"}, "business", BUSINESS),
        ("account_update", {"event": "PARTNER_REMOVED", "waba_info": {"waba_id": "77"}}, "business", "77"),
        ("account_alerts", {"entity_type": "PHONE_NUMBER", "entity_id": 88, "alert_info": {}}, "number", "88"),
        ("account_alerts", {"entity_type": "BUSINESS", "entity_id": "99"}, "business", BUSINESS),
        ("phone_number_quality_update", {"display_phone_number": "1555"}, "number", BUSINESS),
        ("message_template_status_update", {"event": "APPROVED"}, "business", BUSINESS),
    ],
)
def test_alerts(field: str, value: dict[str, Any], scope: str, session: str) -> None:
    piece = one(body(field, value))
    assert (piece.type, piece.session) == ("account", session)
    assert piece.at == datetime(2026, 9, 21, 14, 13, 21, tzinfo=UTC)
    assert piece.data == {"scope": scope, "kind": field, "value": value}


def test_an_error_of_a_number() -> None:
    piece = one(messages(errors=[{"code": 131000, "title": "Something went wrong"}]))
    assert (piece.type, piece.session, piece.data["kind"]) == ("account", NUMBER, "errors")


def test_what_comes_again_is_the_same_event_however_it_is_packed() -> None:
    other = STATUS | {"id": "wamid.other"}
    together = read(json.dumps(messages(statuses=[STATUS, other])).encode(), NOW)
    alone = [one(messages(statuses=[other])), one(messages(statuses=[dict(reversed(list(STATUS.items())))]))]
    assert {piece.event_id for piece in together} == {piece.event_id for piece in alone}
    assert len({piece.event_id for piece in together}) == 2


def test_what_is_told_again_later_is_another_event() -> None:
    alert = {"event": "ACCOUNT_VIOLATION"}
    first, later = (one(body("account_update", alert, time=time)) for time in (1790000001, 1790000002))
    assert first.event_id != later.event_id
    assert one(messages(statuses=[STATUS | {"status": "read"}])).event_id != one(messages(statuses=[STATUS])).event_id


@pytest.mark.parametrize(
    ("posted", "kept"),
    [
        ([], "[]"),
        ({"object": "page", "entry": []}, "page"),
        ({"entry": [7]}, "7"),
        ({"entry": [{"id": BUSINESS, "changes": {}}]}, BUSINESS),
        (body("flows", {"event": "X-ray"}), "X-ray"),
        (body("messages", "text"), "text"),
        (messages(), "15550783881"),
        (messages(statuses=[], messages=[]), "15550783881"),
        (messages(statuses=None), "null"),
        (messages(statuses=[STATUS | {"status": "played"}]), "played"),
        (messages(statuses=[STATUS | {"status": ["sent"]}]), "wamid.HBgL"),
        (messages(statuses=["odd"]), "odd"),
        (messages(messages=[MESSAGE | {"from": "a group"}]), "a group"),
        (messages(messages=[MESSAGE | {"group_id": "g7"}]), "g7"),
        (body("messages", {"messages": [MESSAGE]}), "wamid.in"),
        (body("user_preferences", {"metadata": METADATA, "user_preferences": [{"wa_id": "1"}]}), "wa_id"),
        (body("account_update", [[["deep"]]]), "deep"),
        (body("account_update", {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": "deep"}}}}}}}}), "deep"),
    ],
)
def test_what_is_not_understood_is_kept(posted: Any, kept: str) -> None:
    piece = one(posted)
    assert piece.type == "unread"
    assert kept in piece.data["text"]


def test_what_is_understood_is_not_lost_with_what_is_not() -> None:
    found = read(json.dumps(messages(statuses=[7, STATUS], messages=[MESSAGE], errors={"code": 1})).encode(), NOW)
    assert [piece.type for piece in found] == ["unread", "receipt", "inbound", "account"]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"\xff\xfe{}",
        b'{"entry": NaN}',
        b'{"entry": [1e999]}',
        b'{"entry": %s}' % (b"1" * 5000),
        b"[" * 100_000,
    ],
)
def test_what_is_not_even_json_is_kept_as_text(raw: bytes) -> None:
    (piece,) = read(raw, NOW)
    assert (piece.type, piece.session, piece.at) == ("unread", NOBODY, NOW)
    assert piece.data["text"] == raw.decode(errors="replace")


@pytest.mark.parametrize("depth", [*range(100, 1000, 90), *range(900, 1000, 7)])
@pytest.mark.parametrize("field", ["messages", "account_update"])
def test_however_deeply_it_is_nested(field: str, depth: int) -> None:
    """Also where it can just be read, and hardly be written again."""
    raw = json.dumps(body(field, {"errors": "HERE"})).replace('"HERE"', '{"a":' * depth + "1" + "}" * depth)
    (piece,) = read(raw.encode(), NOW)
    assert piece.type == "unread"
    assert '{"a":' * 50 in piece.data["text"].replace(" ", "")


def test_what_is_no_text_can_be_stored() -> None:
    raw = json.dumps(messages(messages=[MESSAGE | {"text": {"body": "a\0b\ud83d"}}])).encode()
    (piece,) = read(raw, NOW)
    assert piece.data["text"] == "a\ufffdb\ufffd"
    (emoji,) = read(json.dumps(messages(messages=[MESSAGE | {"text": {"body": "🙂"}}])).encode(), NOW)
    assert emoji.data["text"] == "🙂"


@pytest.mark.parametrize("timestamp", ["", "soon", -5, 10**30, "9" * 40, 1.5, None, True, [], "1"])
def test_a_time_that_nobody_can_mean_is_the_entrys(timestamp: Any) -> None:
    at = one(messages(statuses=[STATUS | {"timestamp": timestamp}])).at
    assert at == datetime(2026, 9, 21, 14, 13, 21, tzinfo=UTC)
