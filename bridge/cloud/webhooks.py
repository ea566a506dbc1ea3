"""What Meta's webhooks say, as events: one piece for each status, message, preference and alert in a body.

Nothing that Meta has signed is lost, whatever it looks like: what is not understood becomes a piece of the type ``unread``.
A body that comes again gives pieces with the same ids, also when Meta has put them together in another way.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from bridge.cloud import inbound
from bridge.cloud.piece import Piece, inside, name_in, objects, piece_of, text_in, unread, whole_in
from domain.cloud_codes import Meaning, meaning
from domain.text import made_storable
from domain.told_time import told_time

STATUSES: Final = frozenset({"sent", "delivered", "read", "failed"})
NOBODY: Final = "unknown"  # the session of what names none

# Fields that concern a number, which they name as people write it, and those that concern a whole account.
_OF_NUMBER: Final = frozenset({"phone_number_quality_update", "phone_number_name_update"})
_OF_BUSINESS: Final = frozenset(
    {
        "account_alerts",
        "account_review_update",
        "account_update",
        "business_capability_update",
        "message_template_quality_update",
        "message_template_status_update",
    }
)
_OF_ACCOUNT: Final = _OF_NUMBER | _OF_BUSINESS
_DEEPEST: Final = 8  # no alert of Meta's is nested further, and what is could not be read back
_LONGEST_REASON: Final = 500
_ESCAPES: Final = (b"\\u0000", b"\\ud", b"\\uD")  # how JSON writes what is no text, and also emoji


def read(body: bytes, received_at: datetime) -> list[Piece]:
    """All that a body says, at least one piece; never raises. ``received_at`` is the time of what tells none."""
    try:
        parsed = json.loads(body.decode(), parse_constant=_no_number, parse_float=_finite)
        if any(escape in body for escape in _ESCAPES):
            parsed = made_storable(parsed)
        return pieces(parsed, received_at)
    except (ValueError, RecursionError):
        words = made_storable(body.decode(errors="replace"))
        return [Piece(f"cloud:{hashlib.sha256(body).hexdigest()}", NOBODY, "unread", received_at, {"text": words})]


def pieces(body: Any, received_at: datetime) -> list[Piece]:
    """The same of JSON. Raises RecursionError for what is nested so deeply that it cannot be written again."""
    entries = inside(body, "entry")
    if not isinstance(entries, list) or not entries:
        return [unread(body, NOBODY, received_at)]
    return [piece for entry in entries for piece in _of_entry(entry, received_at)]


def _of_entry(entry: Any, received_at: datetime) -> Iterator[Piece]:
    business = name_in(entry, "id") or NOBODY
    changes = inside(entry, "changes")
    if not isinstance(changes, list) or not changes:
        yield unread(entry, business, received_at)
        return
    when = inside(entry, "time")
    at = told_time(when) or received_at
    for change in changes:
        field, value = inside(change, "field"), inside(change, "value")
        if field in ("messages", "user_preferences") and isinstance(value, dict):
            yield from _of_lists(value, business, when, at)
        elif isinstance(field, str) and field in _OF_ACCOUNT and _flat(value):
            scope, session = _concerned(field, value, business)
            yield _account(scope, session, field, value, when, at)
        else:
            yield unread({"id": business, "time": when, "change": change}, business, at)


def _of_lists(value: dict[str, Any], business: str, when: Any, at: datetime) -> Iterator[Piece]:
    """What came to a number, or came of its messages."""
    number = name_in(value, "metadata", "phone_number_id")
    called = inbound.names(value.get("contacts"))

    def piece(name: str, item: Any) -> Piece | None:
        if not isinstance(item, dict):
            return None
        if name == "statuses":  # they bear our key, so they are good for something also without their number
            return _receipt(item, number or business, at)
        if number is None:
            return None
        if name == "messages":
            return inbound.message(item, number, called, at)
        if name == "user_preferences":
            return inbound.preference(item, number, at)
        return _account("number", number, name, item, when, at) if _flat(item) else None

    came = False
    for name in ("statuses", "messages", "user_preferences", "errors"):
        items = value.get(name, [])
        for item in items if isinstance(items, list) else [items]:
            came = True
            source = {"metadata": value.get("metadata"), "time": when, name: item}
            yield piece(name, item) or unread(source, number or business, at)
    if not came:
        yield unread({"time": when, "value": value}, number or business, at)


def _receipt(status: dict[str, Any], session: str, at: datetime) -> Piece | None:
    message_id, said = name_in(status, "id"), name_in(status, "status")
    if message_id is None or said not in STATUSES:
        return None
    key = name_in(status, "biz_opaque_callback_data")
    data = {"message_id": message_id, "key": key, "status": said, "error": None}
    if said == "failed":
        data |= _failure(next(iter(objects(status.get("errors"))), {}))
    return piece_of(status, "receipt", session, told_time(status.get("timestamp")) or at, data)


def _failure(error: dict[str, Any]) -> dict[str, Any]:
    """Why it failed, in our code and in Meta's words."""
    code = whole_in(error, "code")
    told = Meaning("provider_error") if code is None else meaning(code)
    words = text_in(error, "error_data", "details") or text_in(error, "message") or text_in(error, "title")
    return {
        "error": told.code,
        "provider_code": code,
        "reason": (words or "WhatsApp gave no reason")[:_LONGEST_REASON],
        "retryable": told.retryable,
        "retry_after_s": told.wait_s,
        "opts_out": told.opts_out,
    }


def _concerned(field: str, value: dict[str, Any], business: str) -> tuple[str, str]:
    """Whether a field concerns a number or an account, and Meta's id of what it names: for the numbers of _OF_NUMBER that is
    the account that they belong to. What partners are told comes under their own account and names the one that is meant."""
    if field in _OF_NUMBER:
        return "number", business
    entity = name_in(value, "entity_id")
    if field == "account_alerts" and value.get("entity_type") == "PHONE_NUMBER" and entity is not None:
        return "number", entity
    return "business", name_in(value, "waba_info", "waba_id") or business


def _account(scope: str, session: str, field: str, value: dict[str, Any], when: Any, at: datetime) -> Piece:
    data = {"scope": scope, "kind": field, "value": value}
    return piece_of([field, when, value], "account", session, at, data)  # the value alone can be true again later


def _flat(value: Any) -> bool:
    return isinstance(value, dict) and _within(value, _DEEPEST)


def _within(value: Any, depth: int) -> bool:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return depth > 0 and all(_within(part, depth - 1) for part in parts)


def _no_number(constant: str) -> float:
    raise ValueError(constant)


def _finite(written: str) -> float:
    number = float(written)
    if not math.isfinite(number):
        raise ValueError(written)
    return number
