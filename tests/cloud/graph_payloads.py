"""Webhooks in Meta's shapes."""

from __future__ import annotations

import hmac
import time
from typing import Any

from graph_errors import webhook_error
from graph_world import Number, Received

# Inbound messages of other kinds than text
BUTTON = {
    "type": "button",
    "button": {"payload": "yes", "text": "Yes, please"},
    "context": {"from": "972300000001", "id": "wamid.ofOurs"},
}
IMAGE = {
    "type": "image",
    "image": {"caption": "Look", "mime_type": "image/jpeg", "sha256": "aGFzaA==", "id": "8000000000000001"},
}

# What Meta tells of an account
RESTRICTION = {
    "event": "ACCOUNT_RESTRICTION",
    "restriction_info": [{"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": 1_900_000_000}],
}
DISABLED = {
    "event": "DISABLED_UPDATE",
    "ban_info": {"waba_ban_state": "DISABLE", "waba_ban_date": "October 4, 2031"},
}


def sign(body: bytes, app_secret: str) -> str:
    """The value of the header ``X-Hub-Signature-256``."""
    return "sha256=" + hmac.digest(app_secret.encode(), body, "sha256").hex()


def change(field: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"field": field, "value": value}


def messages(number: Number, **value: Any) -> dict[str, Any]:
    """The change that bears statuses or inbound messages of a number."""
    metadata = {"display_phone_number": number.phone, "phone_number_id": number.id}
    return change("messages", {"messaging_product": "whatsapp", "metadata": metadata, **value})


def status(received: Received, word: str, code: int | None = None) -> dict[str, Any]:
    """One status of a message: sent, delivered, read or failed."""
    category = "marketing" if received.payload.get("type") == "template" else "service"
    told: dict[str, Any] = {
        "id": received.wamid,
        "status": word,
        "timestamp": str(int(time.time())),
        "recipient_id": received.to,
    }
    if received.key is not None:
        told["biz_opaque_callback_data"] = received.key
    if code is not None:
        return told | {"errors": [webhook_error(code)]}
    conversation: dict[str, Any] = {"id": f"c{abs(hash(received.wamid)):x}", "origin": {"type": category}}
    if word == "sent":
        conversation["expiration_timestamp"] = str(int(time.time()) + 24 * 3600)
    pricing = {"billable": category == "marketing", "pricing_model": "PMP", "type": "regular", "category": category}
    return told | {"conversation": conversation, "pricing": pricing}


def inbound(number: Number, sender: str, name: str, message: dict[str, Any]) -> dict[str, Any]:
    """What a person has written: ``message`` is Meta's message object, without id, sender and time."""
    contact = {"profile": {"name": name}, "wa_id": sender}
    whole = {"from": sender, "timestamp": str(int(time.time())), **message}
    return messages(number, contacts=[contact], messages=[whole])


def preference(number: Number, sender: str, name: str, value: str) -> dict[str, Any]:
    """A person wants no marketing messages any more (``stop``), or wants them again (``resume``)."""
    told = {
        "wa_id": sender,
        "detail": f"User requested to {value} marketing messages",
        "category": "marketing_messages",
        "value": value,
        "timestamp": int(time.time()),
    }
    value_of = messages(number, contacts=[{"profile": {"name": name}, "wa_id": sender}], user_preferences=[told])
    return value_of | {"field": "user_preferences"}


def quality_update(number: Number, event: str = "FLAGGED", limit: str = "TIER_250") -> dict[str, Any]:
    """The value of ``phone_number_quality_update``."""
    return {
        "display_phone_number": number.phone,
        "event": event,
        "current_limit": limit,
        "max_daily_conversations_per_business": limit,
    }


def account_alert(entity_id: str, kind: str, severity: str = "WARNING", words: str = "See to it") -> dict[str, Any]:
    """The value of ``account_alerts``."""
    told = {"alert_severity": severity, "alert_status": "ACTIVE", "alert_type": kind, "alert_description": words}
    return {"entity_type": "PHONE_NUMBER", "entity_id": entity_id, "alert_info": told}


def template_status(template: dict[str, Any], event: str, reason: str = "NONE") -> dict[str, Any]:
    """The value of ``message_template_status_update``."""
    return {
        "event": event,
        "message_template_id": int(template["id"]),
        "message_template_name": template["name"],
        "message_template_language": template["language"],
        "reason": reason,
    }


def post(changes: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """What is posted: an entry for each business account, with its changes in order."""
    entries: dict[str, dict[str, Any]] = {}
    for business_id, one in changes:
        entry = entries.setdefault(business_id, {"id": business_id, "time": int(time.time()), "changes": []})
        entry["changes"].append(one)
    return {"object": "whatsapp_business_account", "entry": list(entries.values())}
