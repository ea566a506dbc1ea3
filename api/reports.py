"""What became of a broadcast: its failures by reason, its devices, its timeline."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.broadcasts import NO_BROADCAST
from api.context import Here, Id
from api.errors import not_found
from services import device_report, failure_groups, timeline

router = APIRouter(tags=["Broadcasts"])


class FailureGroup(BaseModel):
    code: str
    reason: str
    advice: str
    verdict: str = Field(
        description="safe: proven not sent, and worth a retry; hopeless: proven not sent, and a retry would fail as well; "
        "doubt: it may have gone out"
    )
    count: int
    retryable: int = Field(description="How many a retry of this code would queue")
    undecided: int = Field(description="Of how many in doubt nobody has decided yet")
    awaited: int = Field(
        description="Of how many in doubt WhatsApp may still tell by itself; nobody is asked about them yet"
    )


class Failures(BaseModel):
    groups: list[FailureGroup]
    safe_count: int = Field(description="How many a retry without codes would queue")
    undecided_count: int
    as_of: datetime = Field(description="Name it in a decision about all messages in doubt")


class DeviceLine(BaseModel):
    """A device's people by where they stand now; the figures add up to `total`."""

    device_id: int | None = Field(description="null: no device has been given these")
    name: str | None
    deleted: bool
    total: int
    pending: int
    sent: int = Field(description="With those delivered and read")
    failed: int
    unknown: int
    cancelled: int
    suppressed: int
    out_at: datetime | None = Field(description="Since when the broadcast does not use it any more")
    out_reason: str | None


class Devices(BaseModel):
    devices: list[DeviceLine]


class Happened(BaseModel):
    at: datetime
    who: str | None = Field(description="null for what nobody did")
    what: str
    message_id: int | None
    name: str | None = Field(description="The device that left, or the person whose message it was")
    reason: str | None
    details: dict[str, Any]


class Timeline(BaseModel):
    happened: list[Happened]


@router.get("/api/broadcasts/{broadcast_id}/failures", response_model=Failures, responses=NO_BROADCAST)
def read_failures(broadcast_id: Id, here: Here) -> Any:
    """Who did not get it, grouped by reason, the biggest group first, and what can be done about each."""
    found = here.run_here(lambda db, workspace_id: failure_groups.report(db, workspace_id, broadcast_id))
    if found is None:
        raise not_found(f"broadcast {broadcast_id}")
    return found


@router.get("/api/broadcasts/{broadcast_id}/devices", response_model=Devices, responses=NO_BROADCAST)
def read_devices(broadcast_id: Id, here: Here) -> Any:
    """What each device did for a broadcast; those deleted since keep their name and figures."""
    found = here.run_here(lambda db, workspace_id: device_report.report(db, workspace_id, broadcast_id))
    if found is None:
        raise not_found(f"broadcast {broadcast_id}")
    return {"devices": found}


@router.get("/api/broadcasts/{broadcast_id}/timeline", response_model=Timeline, responses=NO_BROADCAST)
def read_timeline(broadcast_id: Id, here: Here) -> Any:
    """Who did what, and when: the newest 200, the newest first."""
    found = here.run_here(lambda db, workspace_id: timeline.read(db, workspace_id, broadcast_id))
    if found is None:
        raise not_found(f"broadcast {broadcast_id}")
    return {"happened": found}
