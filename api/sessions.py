"""What is done to a device's session at its bridge: QR and pairing code, start, restart, disconnect, log out (R23)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from api.context import Context, Here, Id
from api.errors import refusals
from api.text import Text
from bridge.protocol import Bridge
from services.change_device import look_soon, session_of
from services.single import checked_number

router = APIRouter(tags=["Devices"])

Result = TypeVar("Result")

REFUSALS = refusals(
    {
        404: "NOT_FOUND: no such device; NO_QR: it shows no QR code now",
        409: "SENDING: it is sending right now; NO_SESSION: its session was never started",
        503: "BRIDGE_AWAY",
    }
)


class Command(StrEnum):
    START = "start"
    RESTART = "restart"
    DISCONNECT = "disconnect"
    LOGOUT = "logout"


class Qr(BaseModel):
    qr: str = Field(description="What the QR code says, to be drawn")
    expires_at: datetime | None = None


class Pair(BaseModel):
    model_config = ConfigDict(extra="forbid")

    phone: Annotated[Text, Field(max_length=100, examples=["+972501234567"])]


class Code(BaseModel):
    code: str = Field(description="To be typed into the phone: Linked devices, Link with phone number")


class Ordered(BaseModel):
    device_id: int
    command: Command


@router.get("/api/devices/{device_id}/qr", response_model=Qr, responses=REFUSALS)
def read_qr(device_id: Id, here: Here) -> Any:
    """The QR code that the phone must scan now."""
    return _asked(here, device_id, lambda bridge, session: bridge.qr(session))


@router.post("/api/devices/{device_id}/pairing-code", response_model=Code, responses=REFUSALS)
def make_pairing_code(device_id: Id, body: Pair, here: Here) -> Any:
    """A code to type into the phone in the place of scanning."""
    phone = here.run(lambda db: checked_number(body.phone, here.workspace(db).default_country))
    return {"code": _ordered(here, device_id, lambda bridge, session: bridge.pairing_code(session, phone))}


@router.post("/api/devices/{device_id}/{command}", response_model=Ordered, responses=REFUSALS)
def order(device_id: Id, command: Command, here: Here) -> Any:
    """Start, restart, disconnect or log out its session. All but start are refused while it is sending."""
    _ordered(here, device_id, lambda bridge, session: bridge.command(session, command))
    return {"device_id": device_id, "command": command}


def _asked(here: Context, device_id: int, ask: Callable[[Bridge, str], Result]) -> Result:
    def session(db: Connection, workspace_id: int) -> tuple[str, str]:
        return session_of(db, workspace_id, device_id)

    address, name = here.run_here(session)
    return ask(here.bridges.at(address), name)


def _ordered(here: Context, device_id: int, order: Callable[[Bridge, str], Result]) -> Result:
    """The bridge is told first, and then its health is looked at without waiting for the next round."""
    result = _asked(here, device_id, order)
    here.run(lambda db: look_soon(db, device_id))
    return result
