"""Every error as ``{"error_code", "message", "details"}``: what services refuse, what HTTP itself refuses, what failed."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from api.words import field_of, in_words
from domain.csv_rows import CsvRefused
from services.refused import Refused

log = logging.getLogger("fanfare.api")

STATUS = {
    "NO_RECIPIENTS": 400,
    "ALL_INVALID": 400,
    "TOO_LARGE": 413,
    "NOT_FOUND": 404,
    "NOT_POSSIBLE": 409,
    "SUPPRESSED": 409,
    "SESSION_TAKEN": 409,
    "DEVICE_BUSY": 409,
    "CONFIRM": 409,
    "OUTSIDE_WINDOW": 409,
    "TEMPLATE_NOT_APPROVED": 409,
    "TEMPLATE_CHANGED": 409,
    "NO_QR": 404,
    "NO_SESSION": 409,
    "WRONG_BRIDGE": 409,
    "NOT_FOR_CLOUD": 409,
    "SENDING": 409,
    "SYNCHRONISING": 409,
    "BRIDGE_REFUSED": 502,
    "BRIDGE_AWAY": 503,
    "WHATSAPP_NOT_CONNECTED": 503,
}  # and 422 for all others: the request must be changed

_OF_HTTP = {
    404: ("NOT_FOUND", "There is nothing at this address."),
    405: ("METHOD_NOT_ALLOWED", "This address does not take this method."),
    413: ("TOO_LARGE", "The request is too large."),
}
_LOCK_NOT_AVAILABLE = "55P03"


class Error(BaseModel):
    """The one form of all errors."""

    error_code: str = Field(examples=["INVALID"])
    message: str = Field(examples=["message: is missing"])
    details: dict[str, Any] = Field(examples=[{"field": "message"}])


def refusals(words: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """The errors of an endpoint for its description: their codes by status."""
    return {status: {"model": Error, "description": description} for status, description in words.items()}


def error(
    status: int,
    code: str,
    message: str,
    details: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The answer for an error."""
    body = {"error_code": code, "message": message, "details": dict(details or {})}
    return JSONResponse(body, status, headers=headers)


def not_found(what: str) -> Refused:
    return Refused("NOT_FOUND", f"There is no {what}.")


def answer_errors(app: FastAPI) -> None:
    """Let every error be answered in the one form."""
    for kind in (Refused, CsvRefused):
        app.add_exception_handler(kind, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(DBAPIError, _of_database)
    app.add_exception_handler(PoolTimeoutError, _of_database)
    app.add_exception_handler(Exception, _failed)


async def _refused(_: Request, refused: Any) -> JSONResponse:
    code = str(refused.code).upper()
    return error(STATUS.get(code, 422), code, refused.message, refused.details)


async def _invalid(_: Request, invalid: Any) -> JSONResponse:
    faults = [{"field": field_of(fault["loc"]), "message": in_words(fault)} for fault in invalid.errors()[:20]]
    first = faults[0]
    return error(422, "INVALID", f"{first['field']}: {first['message']}", {"field": first["field"], "errors": faults})


async def _of_http(_: Request, raised: Any) -> JSONResponse:
    if raised.status_code == 400:  # what the framework says of a body that it cannot read
        words = "the body cannot be read"
        return error(
            422, "INVALID", f"body: {words}", {"field": "body", "errors": [{"field": "body", "message": words}]}
        )
    code, message = _OF_HTTP.get(raised.status_code, (f"HTTP_{raised.status_code}", str(raised.detail)))
    return error(raised.status_code, code, message, headers=raised.headers)


async def _of_database(request: Request, raised: Any) -> JSONResponse:
    if getattr(getattr(raised, "orig", None), "pgcode", None) == _LOCK_NOT_AVAILABLE:
        return error(503, "BUSY", "Something else is working on this at the moment: try again.")
    if isinstance(raised, OperationalError | PoolTimeoutError) or raised.connection_invalidated:
        log.warning("the database is away: %s", type(getattr(raised, "orig", raised)).__name__)
        return error(503, "DATABASE_AWAY", "The database does not answer: nothing is known to be done, try again soon.")
    # Not the whole error: its details have people's numbers.
    cause = getattr(getattr(raised.orig, "diag", None), "message_primary", None)
    log.error("%s %s failed: %s: %s", request.method, request.url.path, type(raised.orig).__name__, cause)
    return await _failed(request, raised)


async def _failed(_: Request, __: Any) -> JSONResponse:
    return error(500, "INTERNAL", "Something failed here; it is in our log. Nothing is known to be done.")
