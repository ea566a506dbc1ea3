"""What is done to a device's session at its bridge: QR and pairing code, start, restart, disconnect, log out (R23)."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.context import WHO, Here, Id
from api.errors import refusals
from api.text import Text
from domain.failures import in_words
from services import sessions
from services.sessions import Command, PairingState
from services.single import checked_number

router = APIRouter(tags=["Devices"])

REFUSALS = refusals(
    {
        404: "NOT_FOUND: no such device; NO_QR: it shows no QR code now",
        409: "SENDING: it is sending right now; NO_SESSION: its session was never started; "
        "WRONG_BRIDGE: the bridge that runs is not for this kind of phone",
        502: "BRIDGE_REFUSED: for a reason of its own",
        503: "BRIDGE_AWAY",
    }
)


class Qr(BaseModel):
    qr: str = Field(description="What the QR code says, to be drawn")
    expires_at: datetime | None = None


class Pairing(BaseModel):
    state: PairingState
    qr: Qr | None = Field(description="While it is waiting, as soon as there is one")
    phone: str | None = Field(description="The number that is connected")
    code: str | None = Field(description="Why it failed")
    reason: str | None = Field(description="The same in words")


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
    return asdict(sessions.qr(here.run_here, here.bridges, device_id))


@router.get("/api/devices/{device_id}/pairing", response_model=Pairing, responses=REFUSALS)
def read_pairing(device_id: Id, here: Here) -> Any:
    """How far the phone is on its way to be paired, with the code to scan. Meant to be asked every two seconds.

    `expired`: no code is shown any more, and starting the session makes a new one.
    """
    pairing = sessions.pairing(here.run_here, here.bridges, device_id)
    return {**asdict(pairing), "reason": in_words(pairing.code, None)}


@router.post("/api/devices/{device_id}/pairing-code", response_model=Code, responses=REFUSALS)
def make_pairing_code(device_id: Id, body: Pair, here: Here) -> Any:
    """A code to type into the phone in the place of scanning."""
    phone = here.run(lambda db: checked_number(body.phone, here.workspace(db).default_country))
    return {"code": sessions.pairing_code(here.run_here, here.bridges, device_id, phone, who=WHO)}


@router.post("/api/devices/{device_id}/{command}", response_model=Ordered, responses=REFUSALS)
def order(device_id: Id, command: Command, here: Here) -> Any:
    """Start, restart, disconnect or log out its session. All but start are refused while it is sending."""
    sessions.order(here.run_here, here.bridges, device_id, command, who=WHO)
    return {"device_id": device_id, "command": command}
