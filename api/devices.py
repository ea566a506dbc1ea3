"""Devices: add, read, change, delete."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from api.context import WHO, Here, Id
from api.errors import not_found, refusals
from api.text import Text
from domain.condition import Condition
from services import device_views, sessions
from services.add_device import NewDevice, add_device
from services.cancel_waiting import cancel_waiting
from services.change_device import change_device
from services.delete_device import delete_device
from services.move_waiting import move_waiting
from services.single import checked_number

router = APIRouter(tags=["Devices"])

NO_DEVICE = refusals({404: "NOT_FOUND"})


def _bridge_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        served = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        served = False
    if not served or parts.query or parts.fragment or parts.username is not None:
        raise ValueError("must be an address such as http://host:8100")
    return url


Name = Annotated[Text, Field(min_length=1, max_length=100)]
Gap = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
Cap = Annotated[int, Field(ge=1, le=10_000_000)]


class Add(BaseModel):
    """A number to send from. What is left out is the provider's default."""

    model_config = ConfigDict(extra="forbid")

    name: Name = Field(examples=["Sales 1"])
    provider: Literal["simulator", "baileys", "cloud"]
    session: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$",
        description="The name of its session at the bridge: letters, digits, _ . -",
        examples=["sales-1"],
    )
    phone: Annotated[Text, Field(max_length=100)] | None = Field(None, examples=["+972501234567"])
    min_gap_s: Gap | None = Field(None, description="Least pause between two messages, in seconds")
    daily_cap: Cap | None = Field(None, description="Messages a day")
    bridge_url: Annotated[Text, Field(max_length=500), AfterValidator(_bridge_url)] | None = Field(
        None, description="Address of its own bridge; without it that of the setting BRIDGE_URL"
    )


class Change(BaseModel):
    """What is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    min_gap_s: Gap | None = Field(None, description="Raises the longest pause too when that is below")
    daily_cap: Cap | None = Field(None, description="null: no cap")
    hourly_cap: Cap | None = Field(None, description="null: no cap")

    @field_validator("name", "min_gap_s")
    @classmethod
    def _a_value(cls, value: object) -> object:
        if value is None:
            raise ValueError("must not be null")
        return value


class Health(BaseModel):
    """Connected and able to send are different facts; `session_age` is in seconds."""

    id: int
    name: str
    state: str
    connected: bool
    can_send: bool
    session_age: int | None
    last_message_ts: datetime | None
    qr_required: bool
    condition: Condition = Field(description="What is wrong with it, in one code; `ready` when nothing is")
    last_error: str | None
    restricted_until: datetime | None
    checked_at: datetime | None = Field(description="When its bridge last told how it is")


class Device(Health):
    provider: str
    session: str
    phone: str | None
    min_gap_s: float
    max_gap_s: float
    daily_cap: int | None
    hourly_cap: int | None
    sent_today: int
    sent_this_hour: int
    waiting_count: int = Field(description="Messages that wait to be sent from it")


class Devices(BaseModel):
    devices: list[Device]


class Moved(BaseModel):
    moved: int
    left: int = Field(description="Wait on: they may have been sent already, or nobody else can send them")


class Cancelled(BaseModel):
    cancelled: int


class Deleted(BaseModel):
    id: int
    leads: int
    messages: int


@router.post(
    "/api/devices",
    status_code=201,
    response_model=Device,
    responses=refusals({409: "SESSION_TAKEN", 422: "PROVIDER_NOT_SERVED, INVALID_PHONE, or INVALID: a field is wrong"}),
)
def create_device(body: Add, here: Here) -> Any:
    """Add a device and start its session at the bridge.

    A bridge that does not answer does not stop it: then `last_error` says so, and the session can be started later.
    """
    address = here.bridges.address_of(body.bridge_url)

    def add(db: Any) -> tuple[int, int]:
        workspace = here.workspace(db)
        phone = None if body.phone is None else checked_number(body.phone, workspace.default_country)
        new = NewDevice(
            workspace_id=workspace.id,
            name=body.name,
            provider=body.provider,
            session=body.session,
            bridge_address=address,
            phone=phone,
            min_gap_s=body.min_gap_s,
            daily_cap=body.daily_cap,
        )
        return workspace.id, add_device(db, new, who=WHO)

    workspace_id, device_id = here.run(add)
    trouble = sessions.start_new(here.run_here, here.bridges, device_id)
    view = _found(here.run(lambda db: device_views.one(db, workspace_id, device_id)), device_id)
    return {**view, "last_error": trouble} if trouble else view


@router.post(
    "/api/devices/{device_id}/move-waiting",
    response_model=Moved,
    responses=refusals({404: "NOT_FOUND", 409: "NOT_POSSIBLE: something waits, and nothing of it can move"}),
)
def move_what_waits(device_id: Id, here: Here) -> Any:
    """Move what waits for this device, and was certainly not sent, to others that can send.

    What belongs to a broadcast goes to the broadcast's other devices; when none of them can send, to all of the same
    provider.
    """
    return asdict(here.run_here(lambda db, workspace_id: move_waiting(db, workspace_id, device_id, who=WHO)))


@router.post("/api/devices/{device_id}/cancel-waiting", response_model=Cancelled, responses=NO_DEVICE)
def cancel_what_waits(device_id: Id, here: Here) -> Any:
    """Nobody who waits for this device is sent to. What is in flight goes on."""
    return {"cancelled": here.run_here(lambda db, workspace_id: cancel_waiting(db, workspace_id, device_id, who=WHO))}


@router.get("/api/devices", response_model=Devices)
def list_devices(here: Here) -> Any:
    """All devices with their health, pace, what they sent today and what waits for them."""
    return {"devices": [asdict(view) for view in here.run_here(device_views.every)]}


@router.get("/api/devices/{device_id}", response_model=Device, responses=NO_DEVICE)
def read_device(device_id: Id, here: Here) -> Any:
    """One device."""
    return _found(here.run_here(lambda db, workspace_id: device_views.one(db, workspace_id, device_id)), device_id)


@router.patch("/api/devices/{device_id}", response_model=Device, responses=NO_DEVICE)
def patch_device(device_id: Id, body: Change, here: Here) -> Any:
    """Change name, pace or caps. A cap counts at once: one that was raised above what was sent opens the device again."""
    changes = body.model_dump(exclude_unset=True)

    def change(db: Any) -> device_views.DeviceView | None:
        workspace_id = here.workspace(db).id
        change_device(db, workspace_id, device_id, changes, who=WHO)
        return device_views.one(db, workspace_id, device_id)

    return _found(here.run(change), device_id)


@router.delete(
    "/api/devices/{device_id}",
    response_model=Deleted,
    responses=refusals(
        {
            404: "NOT_FOUND",
            409: "DEVICE_BUSY while messages wait or are in flight; CONFIRM without confirm=true: "
            "`details` counts what would be deleted",
        }
    ),
)
def remove_device(device_id: Id, here: Here, confirm: bool = False) -> Any:
    """Delete a device with its leads and messages. The never-send list, the audit trail and each broadcast's totals stay."""
    deleted = here.run_here(
        lambda db, workspace_id: delete_device(db, workspace_id, device_id, confirmed=confirm, who=WHO)
    )
    return {"id": device_id, **asdict(deleted)}


def _found(view: device_views.DeviceView | None, device_id: int) -> dict[str, Any]:
    if view is None:
        raise not_found(f"device {device_id}")
    return asdict(view)
