"""The bridge's events: the signature checked over the raw bytes, stored, and only then answered (R29).

As lean as it can be, because at full speed there are several events for each message sent.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any, NoReturn

from sqlalchemy.exc import DataError, SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response

from api.errors import error
from api.event_writer import EventWriter
from api.seldom import Seldom
from api.signed_body import NotTakenError, SignedBodies
from domain.text import made_storable
from services.receipts import Incoming

log = logging.getLogger("fanfare.api")

REFUSALS_A_MINUTE = 10  # lines of the log; strangers may post as often as they like
LONGEST_NAME = 200  # characters of an event's id, session and type
EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)

_ESCAPES = (b"\\u0000", b"\\ud", b"\\uD")  # how JSON writes what is no text, and also emoji


class UnreadableError(ValueError):
    """An event that is not as the contract says."""


class Events:
    """``POST /events/bridge``."""

    def __init__(self, writer: EventWriter, secret: str) -> None:
        self._writer = writer
        self._bodies = SignedBodies("X-Signature", secret, "EVENTS_SECRET")
        self._refusals = Seldom("EVENTS", lines=REFUSALS_A_MINUTE)

    async def take(self, request: Request) -> Response:
        try:
            body = await self._bodies.read(request)
        except NotTakenError as refusal:
            self._refusals.warn(f"refused: {refusal}")
            return error(refusal.status, refusal.code, f"Not taken: {refusal}.")
        try:
            await self._writer.store(read(body))
        except (UnreadableError, DataError) as fault:
            words = str(fault) if isinstance(fault, UnreadableError) else "it has values that cannot be stored"
            log.warning("[EVENTS] refused: %s", words)
            return error(422, "UNREADABLE", f"This is not an event: {words}.")
        except SQLAlchemyError as fault:
            log.warning("[EVENTS] not stored, the bridge will post again: %s", type(fault).__name__)
            return error(503, "DATABASE_AWAY", "The database does not answer: post the event again.")
        return Response(b'{"stored":true}', media_type="application/json")


def read(body: bytes) -> Incoming:
    """The event in a body. What is no text (NUL, half a character) becomes U+FFFD, so that it never blocks the outbox.

    Raises UnreadableError.
    """
    try:
        event = json.loads(body.decode(), parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise UnreadableError("the body is not JSON") from None
    if any(escape in body for escape in _ESCAPES):
        event = made_storable(event)
    if not isinstance(event, dict):
        raise UnreadableError("the body is not a JSON object")
    data = event.get("data")
    if not isinstance(data, dict):
        raise UnreadableError("data is not an object")
    return Incoming(_name(event, "event_id"), _name(event, "session"), _name(event, "type"), _at(event), data)


def _name(event: dict[str, Any], field: str) -> str:
    value = event.get(field)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_NAME:
        raise UnreadableError(f"{field} is not a text of 1 to {LONGEST_NAME} characters")
    return value


def _at(event: dict[str, Any]) -> datetime:
    try:
        at = datetime.fromisoformat(event.get("at", ""))
    except (TypeError, ValueError):
        raise UnreadableError("at is not a time") from None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    if at < EARLIEST:
        raise UnreadableError("at is too long ago")
    return at


def _no_number(constant: str) -> NoReturn:
    raise ValueError(constant)
