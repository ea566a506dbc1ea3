"""The words of the bridge contract: its errors, its times, its addresses, and one attempt as it comes in."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

Outcome = Literal["not_sent", "unknown"]

TEXT_LIMIT = 65_536  # characters, as WhatsApp itself
MEDIA_LIMIT = 16 * 1024 * 1024  # bytes
KINDS = ("text", "image", "video", "audio", "document")
ADDRESS = re.compile(r"[1-9]\d{6,14}@s\.whatsapp\.net")


class Answer(NamedTuple):
    """An HTTP status and the JSON that goes with it: an object, or a list for a report."""

    status: int
    body: Any


class Problem(NamedTuple):
    """What an error of a send means: HTTP status, whether anything went out, whether trying again can help, words."""

    status: int
    outcome: Outcome
    retryable: bool
    words: str


PROBLEMS: dict[str, Problem] = {
    # the device
    "not_connected": Problem(503, "not_sent", True, "The session is not connected."),
    "qr_required": Problem(503, "not_sent", True, "The session waits for its QR code to be scanned."),
    "restricted": Problem(503, "not_sent", True, "WhatsApp restricts this account for now."),
    "logged_out": Problem(503, "not_sent", True, "The session was logged out on the phone."),
    "banned": Problem(503, "not_sent", True, "WhatsApp banned this account."),
    # the message
    "not_on_whatsapp": Problem(422, "not_sent", False, "This number is not on WhatsApp."),
    "invalid_recipient": Problem(422, "not_sent", False, "This is not the address of a person."),
    "unsupported_media": Problem(422, "not_sent", False, "WhatsApp does not take this kind of media."),
    "too_large": Problem(413, "not_sent", False, "The message is larger than WhatsApp takes."),
    # the moment
    "throttled": Problem(429, "not_sent", True, "Too many messages: wait."),
    "send_timeout": Problem(504, "unknown", False, "No answer in time; it may have gone out."),
    "provider_error": Problem(502, "not_sent", True, "WhatsApp refused the message without a reason."),
    "internal": Problem(500, "not_sent", True, "The bridge failed before handing the message over."),
    # the request
    "no_session": Problem(404, "not_sent", False, "There is no such session: start it first."),
    "bad_request": Problem(400, "not_sent", False, "The request is not as the contract says."),
}
DEVICE_PROBLEMS = frozenset({"not_connected", "qr_required", "restricted", "logged_out", "banned"})


class BadRequestError(Exception):
    """A body that is not as the contract says; the text says where."""


def refuse(code: str, *, words: str | None = None, **more: object) -> Answer:
    """The answer for an error of a send, as the contract writes it."""
    problem = PROBLEMS[code]
    body = {
        "error": code,
        "outcome": problem.outcome,
        "retryable": problem.retryable,
        "message": words or problem.words,
    }
    return Answer(problem.status, body | more)


BROKEN_AFTER = Answer(
    500,
    {
        "error": "internal",
        "outcome": "unknown",
        "retryable": False,
        "message": "The bridge failed after handing the message over.",
    },
)


def iso(moment: float) -> str:
    """A Unix time as ISO 8601 in UTC, to the microsecond."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def iso_or_none(moment: float | None) -> str | None:
    return None if moment is None else iso(moment)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One POST of a message: the key by which it is known, and what the person would get."""

    key: str
    session: str
    to: str
    kind: str
    text: str
    media: dict[str, Any] | None
    deadline_s: float

    @property
    def fingerprint(self) -> str:
        """Equal for two bodies that give the person the same; the deadline is no part of the message."""
        body = json.dumps([self.session, self.to, self.kind, self.text, self.media], sort_keys=True)
        return hashlib.sha256(body.encode()).hexdigest()

    @property
    def person(self) -> str:
        """The number, digits only."""
        return self.to.partition("@")[0]

    def fault(self) -> str | None:
        """The error code of a message that could never be sent, or None."""
        if not ADDRESS.fullmatch(self.to):
            return "invalid_recipient"
        if self.kind not in KINDS:
            return "unsupported_media"
        if len(self.text) > TEXT_LIMIT:
            return "too_large"
        return None if self.kind == "text" else self._media_fault()

    def _media_fault(self) -> str | None:
        media = self.media or {}
        data, mimetype = media.get("data"), media.get("mimetype")
        if not isinstance(data, str) or not isinstance(mimetype, str) or not data:
            return "unsupported_media"
        if self.kind != "document" and not mimetype.startswith(self.kind + "/"):
            return "unsupported_media"
        if len(data) * 3 // 4 > MEDIA_LIMIT:
            return "too_large"
        try:
            base64.b64decode(data, validate=True)
        except binascii.Error:
            return "unsupported_media"
        return None


def read_attempt(session: str, body: dict[str, Any]) -> Attempt:
    """One attempt from a JSON body. Raises BadRequestError with the field that is wrong."""
    key, to, kind = (body.get(name) for name in ("key", "to", "kind"))
    text, media, deadline_s = body.get("text"), body.get("media"), body.get("deadline_s", 30)
    if not isinstance(key, str) or not 1 <= len(key) <= 200 or "/" in key:
        raise BadRequestError("key: 1 to 200 characters, without a slash")
    if not isinstance(to, str):
        raise BadRequestError("to: an address as text")
    if not isinstance(kind, str):
        raise BadRequestError(f"kind: one of {', '.join(KINDS)}")
    if not isinstance(text, str | None) or (kind == "text" and not text):
        raise BadRequestError("text: must not be empty")
    if not isinstance(media, dict | None):
        raise BadRequestError("media: an object")
    if isinstance(deadline_s, bool) or not isinstance(deadline_s, int | float) or deadline_s <= 0:
        raise BadRequestError("deadline_s: seconds, above 0")
    return Attempt(key, session, to, kind, text or "", media, float(deadline_s))
