"""Devices: add, read, change, delete."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from api.context import WHO, Context, Here, Id
from api.device_bodies import Add, Cancelled, Change, Deleted, Device, Devices, Moved
from api.errors import not_found, refusals
from bridge.cloud.accounts import Account
from services import cloud_numbers, device_views, sessions
from services.add_device import NewDevice, add_device
from services.cancel_waiting import cancel_waiting
from services.change_device import change_device
from services.delete_device import delete_device
from services.move_waiting import move_waiting
from services.single import checked_number

router = APIRouter(tags=["Devices"])

NO_DEVICE = refusals({404: "NOT_FOUND"})


@router.post(
    "/api/devices",
    status_code=201,
    response_model=Device,
    responses=refusals(
        {
            409: "SESSION_TAKEN",
            422: "PROVIDER_NOT_SERVED, INVALID_PHONE, or INVALID: a field is wrong; for `cloud` also META_REFUSED, "
            "INVALID_ID, INVALID_TOKEN or CLOUD_NOT_SET_UP",
            503: "BRIDGE_AWAY: Meta does not answer, and nothing was added",
        }
    ),
)
def create_device(body: Add, here: Here) -> Any:
    """Add a device and start its session at the bridge.

    A bridge that does not answer does not stop it: then `last_error` says so, and the session can be started later. A number
    of Meta's Cloud API (`cloud`) is added only when Meta knows it by its token.
    """
    body.check_fields_of_its_kind()
    device_id, trouble = _add_number(body, here) if body.provider == "cloud" else _add_phone(body, here)
    view = _found(here.run_here(lambda db, workspace_id: device_views.one(db, workspace_id, device_id)), device_id)
    return {**view, "last_error": trouble} if trouble else view


def _add_phone(body: Add, here: Context) -> tuple[int, str | None]:
    address = here.bridges.address_of(body.bridge_url)

    def add(db: Any) -> int:
        workspace = here.workspace(db)
        phone = None if body.phone is None else checked_number(body.phone, workspace.default_country)
        new = NewDevice(
            workspace_id=workspace.id,
            name=body.name,
            provider=body.provider,
            session=body.session or "",
            bridge_address=address,
            phone=phone,
            min_gap_s=body.min_gap_s,
            daily_cap=body.daily_cap,
        )
        return add_device(db, new, who=WHO)

    device_id = here.run(add)
    return device_id, sessions.start_new(here.run_here, here.bridges, device_id)


def _add_number(body: Add, here: Context) -> tuple[int, str | None]:
    account = Account(
        phone_number_id=body.phone_number_id or body.session or "",
        business_id=body.business_account_id or "",
        token=body.token.get_secret_value() if body.token else "",
    )
    new = cloud_numbers.NewNumber(body.name, account, min_gap_s=body.min_gap_s, daily_cap=body.daily_cap)
    added = cloud_numbers.add(here.run_here, here.cloud, new, who=WHO)
    return added.device_id, added.trouble


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


@router.patch(
    "/api/devices/{device_id}",
    response_model=Device,
    responses=refusals(
        {
            404: "NOT_FOUND",
            422: "INVALID: a field is wrong; with a token also META_REFUSED, INVALID_TOKEN, NOT_OFFICIAL or "
            "CLOUD_NOT_SET_UP",
            503: "BRIDGE_AWAY: Meta does not answer about the token, and nothing was changed",
        }
    ),
)
def patch_device(device_id: Id, body: Change, here: Here) -> Any:
    """Change name, pace or caps. A cap counts at once: one that was raised above what was sent opens the device again.

    A token is changed first, once Meta knows the number by it; when it is refused nothing else is changed either.
    """
    changes = body.model_dump(exclude_unset=True, exclude={"token"})
    if body.token is not None:
        token = body.token.get_secret_value()
        cloud_numbers.replace_token(here.run_here, here.cloud, device_id, token, who=WHO)

    def change(db: Any) -> device_views.DeviceView | None:
        workspace_id = here.workspace(db).id
        if changes or body.token is None:
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
    """Delete a device with its leads and messages, and log it out of WhatsApp. The never-send list, the audit trail and
    each broadcast's totals stay."""
    deleted = here.run_here(
        lambda db, workspace_id: delete_device(db, workspace_id, device_id, confirmed=confirm, who=WHO)
    )
    still_linked = sessions.unlink(here.bridges, *deleted.session) if deleted.session else None
    return {"id": device_id, "leads": deleted.leads, "messages": deleted.messages, "still_linked": still_linked}


def _found(view: device_views.DeviceView | None, device_id: int) -> dict[str, Any]:
    if view is None:
        raise not_found(f"device {device_id}")
    return asdict(view)
