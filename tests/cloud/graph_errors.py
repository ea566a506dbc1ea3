"""Meta's error codes as its Graph API answers them: the HTTP status and the words of each."""

from __future__ import annotations

from typing import Any, NamedTuple

HREF = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"


class Told(NamedTuple):
    """An answer: HTTP status and JSON body."""

    status: int
    body: dict[str, Any]


# code: (HTTP status, title). What is not here is answered with 400.
ERRORS: dict[int, tuple[int, str]] = {
    0: (401, "AuthException"),
    1: (400, "API Unknown"),
    2: (503, "API Service"),
    3: (500, "API Method"),
    4: (429, "API Too Many Calls"),
    10: (403, "Permission Denied"),
    33: (400, "Parameter value is not valid"),
    100: (400, "Invalid parameter"),
    190: (401, "Access token has expired"),
    200: (403, "API Permission"),
    368: (403, "Temporarily blocked for policies violations"),
    80007: (429, "Rate limit issues"),
    130429: (429, "Rate limit hit"),
    130472: (400, "User's number is part of an experiment"),
    131000: (500, "Something went wrong"),
    131005: (403, "Access denied"),
    131008: (400, "Required parameter is missing"),
    131009: (400, "Parameter value is not valid"),
    131016: (503, "Service unavailable"),
    131021: (400, "Recipient cannot be sender"),
    131026: (400, "Message undeliverable"),
    131030: (400, "Recipient phone number not in allowed list"),
    131031: (403, "Account has been locked"),
    131037: (400, "WhatsApp provided number needs display name approval before message can be sent"),
    131042: (400, "Business eligibility payment issue"),
    131045: (500, "Incorrect certificate"),
    131047: (400, "Re-engagement message"),
    131048: (429, "Spam rate limit hit"),
    131049: (400, "This message was not delivered to maintain healthy ecosystem engagement"),
    131050: (400, "User has stopped receiving marketing messages from this business"),
    131051: (400, "Unsupported message type"),
    131052: (400, "Media download error"),
    131053: (400, "Media upload error"),
    131056: (429, "(Business Account, Consumer Account) pair rate limit hit"),
    131057: (500, "Business account is in maintenance mode"),
    132000: (400, "Template param count mismatch"),
    132001: (404, "Template does not exist"),
    132005: (400, "Template hydrated text too long"),
    132007: (400, "Template format character policy violated"),
    132012: (400, "Template parameter format mismatch"),
    132015: (400, "Template is paused"),
    132016: (400, "Template is disabled"),
    132018: (400, "Template parameters are not valid"),
    132068: (400, "Flow is blocked"),
    132069: (400, "Flow is throttled"),
    133004: (503, "Server temporarily unavailable"),
    133010: (400, "Phone number not registered"),
}


def error(code: int, details: str | None = None, subcode: int | None = None) -> Told:
    """A Graph error as an answer."""
    status, title = ERRORS.get(code, (400, "An error that is new"))
    words: dict[str, Any] = {
        "message": f"(#{code}) {title}",
        "type": "OAuthException",
        "code": code,
        "error_data": {"messaging_product": "whatsapp", "details": details or f"{title}, as the fake tells it."},
        "fbtrace_id": "AFakeTraceOfTheTests",
    }
    return Told(status, {"error": words if subcode is None else {**words, "error_subcode": subcode}})


def webhook_error(code: int) -> dict[str, Any]:
    """A Graph error as it stands in a *failed* status."""
    title = ERRORS.get(code, (400, "An error that is new"))[1]
    details = {"details": f"{title}, as the fake tells it."}
    return {"code": code, "title": title, "message": title, "error_data": details, "href": HREF}
