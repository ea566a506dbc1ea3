"""The bridge contract over HTTP (design: bridge contract, "what a client may conclude").

The one thing that must be right: *not sent* is concluded only when nothing was written, or when the bridge says so.
Everything else without an answer is in doubt. An answer that comes late or twice must not be taken for the next one's:
a connection serves another send only after an answer that names its own key, and nothing else is asked on it.
"""

from __future__ import annotations

import base64
import json
import threading
from datetime import UTC, datetime
from typing import Any

import requests
from urllib3.exceptions import HTTPError

from bridge.protocol import (
    BridgeAwayError,
    BridgeRefusedError,
    Closed,
    InDoubt,
    KeyState,
    Media,
    NotSent,
    Outbound,
    Roster,
    SendResult,
    Sent,
    SessionStatus,
    Template,
    Text,
)
from bridge.unwritten import nothing_was_written

CONNECT_TIMEOUT_S = 5.0
COMMAND_TIMEOUT_S = 10.0
_KEPT_TEXT = 300  # characters of a foreign error text that are kept


class HttpBridge:
    """A bridge at ``address``. Safe for threads: each sends through a ``requests.Session`` of its own."""

    def __init__(self, address: str, secret: str, *, send_limit_s: int, http_timeout_s: float) -> None:
        self._address = address.rstrip("/")
        self._secret = secret
        self._send_limit_s = send_limit_s
        self._http_timeout_s = http_timeout_s
        # With the time for the answer it must stay below the life of a session's mutex (settings.py).
        self._connect_timeout_s = min(CONNECT_TIMEOUT_S, http_timeout_s - send_limit_s)
        self._local = threading.local()

    def send(self, outbound: Outbound) -> SendResult:
        if isinstance(outbound.content, Template):
            return NotSent(
                "not_a_cloud_number", "only a number of the Cloud API can send it", "refused", retryable=False
            )
        body = {
            "key": outbound.key,
            "to": outbound.to,
            "deadline_s": self._send_limit_s,
            **_content(outbound.content),
        }
        kept = self._kept()
        try:
            answer = kept.post(
                f"{self._address}/whatsapp/{outbound.session}/messages",
                data=json.dumps(body).encode(),
                timeout=(self._connect_timeout_s, self._http_timeout_s),
                allow_redirects=False,  # our secret and the message are for this address
            )
        except requests.RequestException as error:
            kept.close()
            if nothing_was_written(error):
                return NotSent("bridge_unreachable", "the bridge does not answer", "refused", retryable=True)
            return InDoubt("no_answer", type(error).__name__)
        try:
            result = _read_send(answer, outbound.key)
        except (TypeError, ValueError) as error:
            result = InDoubt("internal", f"unreadable answer: {type(error).__name__}")
        if not isinstance(result, Sent):
            kept.close()  # an error names no key: nobody could tell its repetition from the next message's answer
        return result

    def close(self, session: str, key: str) -> Closed:
        body = self._ask("POST", f"/whatsapp/{session}/messages/{key}/close", timeout_s=COMMAND_TIMEOUT_S)
        try:
            return Closed(
                state=KeyState(body["state"]),
                provider_message_id=body.get("message_id"),
                code=body.get("error"),
                ledger_age_s=(_time(body["updated_at"]) - _time(body["ledger_since"])).total_seconds(),
            )
        except (KeyError, ValueError, TypeError) as error:
            raise BridgeRefusedError(
                502, "provider_error", f"unreadable answer to close: {type(error).__name__}"
            ) from error

    def status(self, session: str) -> SessionStatus:
        body = self._ask("GET", f"/whatsapp/{session}/status", timeout_s=COMMAND_TIMEOUT_S)
        try:
            return _status({"session": session, **body})
        except (ValueError, TypeError) as error:
            raise BridgeRefusedError(502, "provider_error", f"unreadable status: {type(error).__name__}") from error

    def sessions(self, timeout_s: float) -> Roster:
        body = self._ask("GET", "/whatsapp", timeout_s=timeout_s)
        try:
            return Roster(body.get("provider"), [_status(item) for item in body["sessions"]])
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise BridgeRefusedError(502, "provider_error", f"unreadable sessions: {type(error).__name__}") from error

    def qr(self, session: str) -> dict[str, Any]:
        return self._ask("GET", f"/whatsapp/{session}/qr", timeout_s=COMMAND_TIMEOUT_S)

    def pairing_code(self, session: str, phone: str) -> str:
        path = f"/whatsapp/{session}/pairing-code"
        return str(self._ask("POST", path, {"phone": phone}, timeout_s=COMMAND_TIMEOUT_S)["code"])

    def command(self, session: str, verb: str) -> None:
        self._ask("POST", f"/whatsapp/{session}/{verb}", timeout_s=COMMAND_TIMEOUT_S)

    def _kept(self) -> requests.Session:
        """This thread's, which keeps its connection for the next send."""
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = self._new()
        return session

    def _new(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.headers.update({"X-Internal-Secret": self._secret, "Content-Type": "application/json"})
        return session

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None, *, timeout_s: float) -> dict[str, Any]:
        try:
            with self._new() as session:
                answer = session.request(
                    method,
                    f"{self._address}{path}",
                    json=body,
                    timeout=(min(CONNECT_TIMEOUT_S, timeout_s), timeout_s),
                    allow_redirects=False,
                )
        except (requests.RequestException, HTTPError) as error:  # no host can have some of the names that URLs may hold
            raise BridgeAwayError("bridge_unreachable", "the bridge does not answer") from error
        if answer.status_code == requests.codes.unauthorized:
            raise BridgeAwayError("bridge_secret", "the bridge refuses our secret: BRIDGE_SECRET differs")
        found = _json(answer)
        if answer.status_code >= requests.codes.multiple_choices and "error" not in found:
            raise BridgeAwayError("bridge_unreachable", "a proxy answers, and the bridge behind it does not")
        if answer.status_code >= requests.codes.multiple_choices:
            code = str(found.get("error", "internal"))
            raise BridgeRefusedError(answer.status_code, code, str(found.get("message", code))[:_KEPT_TEXT])
        return found


def _content(content: Text | Media) -> dict[str, Any]:
    if isinstance(content, Text):
        return {"kind": "text", "text": content.body}
    file = content.file
    data = base64.b64encode(file.content).decode()
    media = {"data": data, "mimetype": file.mimetype, "filename": file.filename}
    return {"kind": content.kind, "text": content.caption, "media": media}


def _read_send(answer: requests.Response, key: str) -> SendResult:
    body = _json(answer)
    if answer.status_code == requests.codes.ok and body.get("status") == "sent":
        if body.get("key") != key:
            return InDoubt("no_answer", "the answer is another message's")
        return Sent(str(body.get("message_id", "")), float(body.get("duration_ms") or 0) / 1000)
    if answer.status_code == requests.codes.unauthorized:
        return NotSent("bridge_secret", "the bridge refuses our secret", "answer", retryable=True)
    code = str(body.get("error", "internal"))
    reason = str(body.get("message", code))[:_KEPT_TEXT]
    if answer.status_code == requests.codes.conflict and code == "key_closed":
        return NotSent("key_closed", reason, "closed", retryable=True)
    if answer.status_code == requests.codes.not_found and "error" in body:  # not a proxy's, for want of a bridge
        return NotSent("no_session", reason, "answer", retryable=True)
    if body.get("outcome") == "not_sent":
        retry_after = body.get("retry_after_s")
        return NotSent(
            code,
            reason,
            "answer",
            retryable=bool(body.get("retryable")),
            retry_after_s=float(retry_after) if retry_after is not None else None,
        )
    return InDoubt(code, reason)


def _status(body: dict[str, Any]) -> SessionStatus:
    age, phone, error = body.get("session_age"), body.get("phone"), body.get("last_error")
    return SessionStatus(
        session=body["session"],
        state=str(body.get("state", "")),
        connected=bool(body.get("connected")),
        can_send=bool(body.get("can_send")),
        qr_required=bool(body.get("qr_required")),
        session_age_s=int(age) if age is not None else None,
        phone=str(phone) if phone else None,
        last_error=str(error)[:_KEPT_TEXT] if error else None,
        restricted_until=_time(body["restricted_until"]) if body.get("restricted_until") else None,
    )


def _json(answer: requests.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _time(text: str) -> datetime:
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
