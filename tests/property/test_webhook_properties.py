"""Whatever Meta signs, it becomes events that can be stored, and nothing raises."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from bridge.cloud.webhooks import pieces, read

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
NUMBER = "106540352242922"
METADATA = {"display_phone_number": "15550783881", "phone_number_id": NUMBER}
STATUS = {"id": "wamid.HBgL", "status": "failed", "timestamp": "1790000000", "biz_opaque_callback_data": "12.3"}
MESSAGE = {"from": "972501234567", "id": "wamid.in", "timestamp": "1790000000", "type": "text", "text": {"body": "Hi"}}
ERROR = {"code": 131026, "title": "Message undeliverable", "error_data": {"details": "Message Undeliverable."}}

# Bodies as Meta's, with anything at all in some of their places
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda parts: st.lists(parts, max_size=4) | st.dictionaries(st.text(max_size=10), parts, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(
    [
        "id",
        "from",
        "status",
        "timestamp",
        "type",
        "text",
        "errors",
        "code",
        "error_data",
        "details",
        "biz_opaque_callback_data",
        "wa_id",
        "value",
        "category",
        "profile",
        "name",
        "event",
        "entity_id",
        "entity_type",
        "waba_info",
        "waba_id",
        "display_phone_number",
        "metadata",
        "phone_number_id",
        "image",
        "restriction_info",
        "ban_info",
    ]
)
ODD = st.recursive(
    ANYTHING | st.sampled_from([STATUS, MESSAGE, ERROR, METADATA, "sent", "failed", "text", "972501234567", NUMBER]),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(NAMES, parts, max_size=6),
    max_leaves=20,
)
FIELDS = st.sampled_from(
    [
        "messages",
        "user_preferences",
        "account_update",
        "account_alerts",
        "phone_number_quality_update",
        "business_capability_update",
        "message_template_status_update",
        "flows",
    ]
)
VALUES = ODD | st.dictionaries(
    st.sampled_from(["metadata", "contacts", "statuses", "messages", "user_preferences", "errors"]),
    ODD | st.just(METADATA),
    max_size=6,
)
CHANGES = st.fixed_dictionaries({"field": FIELDS | ODD, "value": VALUES})
ENTRIES = st.fixed_dictionaries({"id": ODD, "time": ODD, "changes": st.lists(CHANGES | ODD, max_size=3) | ODD})
BODIES = st.fixed_dictionaries({"entry": st.lists(ENTRIES | ODD, max_size=3) | ODD}) | ODD


@given(BODIES)
@example(
    {"entry": [{"id": "1", "changes": [{"field": "messages", "value": {"metadata": METADATA, "statuses": [STATUS]}}]}]}
)
def test_whatever_is_signed_gives_pieces_that_can_be_stored(posted: Any) -> None:
    found = read(json.dumps(posted).encode(), NOW)
    assert found
    for piece in found:
        assert piece.type in ("receipt", "inbound", "preference", "account", "unread")
        assert 0 < len(piece.event_id) <= 200
        assert 0 < len(piece.session) <= 200
        assert piece.at.tzinfo is UTC
        assert "\\u0000" not in json.dumps(piece.data)
        if piece.type == "receipt":
            assert piece.data["status"] in ("sent", "delivered", "read", "failed")
    assert [piece.event_id for piece in pieces(posted, NOW)] == [piece.event_id for piece in pieces(posted, NOW)]


@given(st.binary(max_size=300))
def test_whatever_bytes_are_signed_give_pieces(raw: bytes) -> None:
    assert read(raw, NOW)
