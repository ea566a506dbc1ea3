"""The simulator over HTTP: who may come in, which path is which, JSON both ways. Bare ASGI, for speed."""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from bridge.simulator.behaviours import of_person
from bridge.simulator.contract import ADDRESS, Answer, BadRequestError, iso, read_attempt, refuse
from bridge.simulator.ledger import Ledger
from bridge.simulator.rules import EVERY_SESSION, Rules
from bridge.simulator.sending import Sender
from bridge.simulator.sessions import Session, Sessions
from bridge.simulator.store import Store

Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]

BODY_LIMIT = 32 * 1024 * 1024  # bytes
NOT_FOUND = Answer(404, {"error": "not_found"})
UNAUTHORIZED = Answer(401, {"error": "unauthorized"})
SENDING = Answer(409, {"error": "sending"})
NO_QR = Answer(404, {"error": "no_qr"})


class Application:
    def __init__(
        self, *, store: Store, ledger: Ledger, sessions: Sessions, rules: Rules, sender: Sender, secret: str
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._sessions = sessions
        self._rules = rules
        self._sender = sender
        self._secret = secret.encode()

    async def __call__(self, scope: Event, receive: Receive, send: Send) -> None:
        try:
            answer = await self._answer(scope, receive)
        except BadRequestError as error:
            answer = refuse("bad_request", words=str(error))
        except asyncio.CancelledError:
            answer = None  # the process ends: better no answer than a wrong one
        if answer is None:
            scope["extensions"]["hang_up"]["call"]()
            return
        body = json.dumps(answer.body).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Event, receive: Receive) -> Answer | None:
        path = scope["path"].strip("/").split("/")
        if path == ["healthz"]:
            return Answer(200, {"status": "ok"})
        if not self._may_enter(scope):
            return UNAUTHORIZED
        if path[0] == "simulator":
            return await self._control(scope["method"], path[1:], receive)
        match scope["method"], *path:
            case "POST", "whatsapp", name, "messages":
                return await self._post_message(name, receive)
            case "GET", "whatsapp", _, "messages", key:
                return await self._look_up(key)
            case "POST", "whatsapp", name, "messages", key, "close":
                entry = self._ledger.close(name, key, time.time())
                await self._store.committed()
                return Answer(200, self._ledger.body(entry))
            case "POST", "whatsapp", name, "start":
                return await self._status(self._sessions.start(name))
            case "GET", "whatsapp":
                now = time.time()
                statuses = [{"session": one.name, **one.status(now)} for one in self._sessions.all()]
                return Answer(200, {"provider": "simulator", "sessions": statuses})
            case "GET", "ledger":
                to = parse_qs(scope["query_string"].decode()).get("to", [None])[0]
                return Answer(200, await self._ledger.people(to))
            case "GET", "ledger", "overlaps":
                return Answer(200, await self._ledger.overlaps())
            case method, "whatsapp", name, action:
                session = self._sessions.get(name)
                return await self._of_session(session, method, action, receive) if session else refuse("no_session")
        return NOT_FOUND

    def _may_enter(self, scope: Event) -> bool:
        given = next((value for name, value in scope["headers"] if name == b"x-internal-secret"), b"")
        return hmac.compare_digest(given, self._secret)

    async def _post_message(self, name: str, receive: Receive) -> Answer | None:
        attempt = read_attempt(name, await _json(receive))
        session = self._sessions.get(name)
        if session is None:
            return refuse("no_session")

        async def client_gone() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        return await self._sender.send(session, attempt, self._rules.for_key(name, attempt.key), client_gone)

    async def _look_up(self, key: str) -> Answer:
        """The key alone decides: whether the session still exists says nothing about what was sent."""
        entry = self._ledger.find(key)
        await self._store.committed()
        if entry is None:
            return Answer(404, {"error": "absent", "ledger_since": iso(self._ledger.since)})
        return Answer(200, self._ledger.body(entry))

    async def _of_session(self, session: Session, method: str, action: str, receive: Receive) -> Answer:
        match method, action:
            case "GET", "status":
                return Answer(200, session.status(time.time()))
            case "GET", "sending-status":
                return Answer(200, session.sending_status(time.time()))
            case "GET", "qr":
                if session.qr is None:
                    return NO_QR
                return Answer(200, {"qr": session.qr, "expires_at": iso(session.qr_expires_at)})
            case "POST", "numbers":
                return self._numbers(session, await _json(receive))
            case "POST", "pairing-code":
                return await self._pair(session, await _json(receive))
            case "POST", "restart" | "disconnect" | "logout":
                if session.active_sends:
                    return SENDING
                change = {
                    "restart": self._sessions.connect,
                    "disconnect": self._sessions.disconnect,
                    "logout": self._sessions.log_out,
                }[action]
                change(session)
                return await self._status(session)
        return NOT_FOUND

    async def _status(self, session: Session) -> Answer:
        """How a session stands after a change of it."""
        await self._store.committed()
        return Answer(200, session.status(time.time()))

    async def _pair(self, session: Session, body: dict[str, Any]) -> Answer:
        """The code that the owner types into the phone instead of scanning; here the phone takes it at once."""
        phone = body.get("phone")
        digits = phone.removeprefix("+") if isinstance(phone, str) else ""
        if not ADDRESS.fullmatch(f"{digits}@s.whatsapp.net"):
            raise BadRequestError("phone: a number with its country code")
        if session.qr is None:
            return NO_QR
        self._sessions.scan(session, f"+{digits}")
        await self._store.committed()
        return Answer(200, {"code": secrets.token_hex(4).upper()})

    def _numbers(self, session: Session, body: dict[str, Any]) -> Answer:
        numbers = body.get("numbers")
        if not isinstance(numbers, list) or not all(isinstance(number, str) for number in numbers):
            raise BadRequestError("numbers: a list of texts")
        if problem := session.problem():
            return refuse(problem)
        results = []
        for number in numbers:
            address = f"{number.removeprefix('+')}@s.whatsapp.net"
            exists = bool(ADDRESS.fullmatch(address)) and of_person(number).name != "not_on_whatsapp"
            results.append({"number": number, "exists": exists, "address": address if exists else None})
        return Answer(200, {"results": results})

    async def _control(self, method: str, path: list[str], receive: Receive) -> Answer:
        """What a real bridge does not have: scanning, and behaviours set by hand."""
        match method, *path:
            case "POST", "behaviour":
                return await self._set_rule(EVERY_SESSION, await _json(receive))
            case "POST", "sessions", name, action:
                session = self._sessions.get(name)
                if session is None:
                    return refuse("no_session")
                if action == "behaviour":
                    return await self._set_rule(name, await _json(receive))
                if action == "scan":
                    if session.state != "qr":
                        return NO_QR
                    self._sessions.scan(session)
                    return await self._status(session)
        return NOT_FOUND

    async def _set_rule(self, session: str, body: dict[str, Any]) -> Answer:
        """One behaviour with its share, several as ``shares``, or null for none."""
        name, share = body.get("behaviour"), body.get("share", 1)
        shares = body.get("shares", {} if name is None else {name: share})
        if not isinstance(shares, dict) or not all(map(_is_share, shares.values())) or sum(shares.values()) > 1:
            raise BadRequestError("share: a number from 0 to 1, and all of them together no more than 1")
        if not all(isinstance(each, str) for each in shares):
            raise BadRequestError("behaviour: a name, or null")
        try:
            self._rules.set(session, {each: float(part) for each, part in shares.items()})
        except KeyError:
            raise BadRequestError("behaviour: not one that a session can have (docs/simulator.md)") from None
        await self._store.committed()
        return Answer(200, {"shares": shares})


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


async def _json(receive: Receive) -> dict[str, Any]:
    """The request's JSON object. Raises BadRequestError for anything else."""
    body = b""
    more = True
    while more:
        event = await receive()
        body += event.get("body", b"")
        more = event.get("more_body", False)
        if len(body) > BODY_LIMIT:
            raise BadRequestError(f"the body is larger than {BODY_LIMIT} bytes")
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        raise BadRequestError("the body is not JSON") from None
    if not isinstance(value, dict):
        raise BadRequestError("the body is not a JSON object")
    return value
