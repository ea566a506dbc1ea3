"""All devices together: status, figures, and the switch for all sending."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, BeforeValidator, Field
from sqlalchemy import Connection

from api.context import WHO, Here
from api.device_bodies import Health
from services import control, device_views, metrics, rates

router = APIRouter(tags=["WhatsApp"])


class Status(BaseModel):
    connected: bool = Field(description="Any device is")
    can_send: bool = Field(description="Any device can")
    sending_stopped_at: datetime | None = Field(description="When all sending was stopped; null while it goes on")
    devices: list[Health]


class Figures(BaseModel):
    pending_count: int = Field(description="Messages that wait or are being sent")
    sent_last_5m: int
    failed_last_5m: int
    as_of: datetime


class Bucket(BaseModel):
    at: datetime = Field(description="When it begins")
    sent: float = Field(description="Messages per minute")
    failed: float = Field(description="Messages per minute")


class Minutes(BaseModel):
    bucket_minutes: int
    buckets: list[Bucket] = Field(description="The oldest first, up to the last minute that was counted whole")


class Switch(BaseModel):
    sending: bool


@router.get("/api/whatsapp/status", response_model=Status)
def read_status(here: Here) -> Any:
    """Whether anything can send, and the health of each device."""

    def read(db: Connection) -> tuple[datetime | None, list[device_views.DeviceView]]:
        workspace = here.workspace(db)
        return workspace.sending_stopped_at, device_views.every(db, workspace.id)

    stopped_at, views = here.run(read)
    return {
        "connected": any(view.connected for view in views),
        "can_send": any(view.can_send for view in views),
        "sending_stopped_at": stopped_at,
        "devices": [asdict(view) for view in views],
    }


@router.get("/api/whatsapp/metrics", response_model=Figures)
def read_metrics(here: Here) -> Any:
    """What is pending, and what was sent and failed in the last five minutes. At most ten seconds old."""
    return asdict(here.metrics.get(lambda: here.run_here(metrics.read)))


@router.get("/api/whatsapp/minutes", response_model=Minutes)
def read_minutes(here: Here, hours: Annotated[Literal[1, 6, 24], BeforeValidator(int)] = 1) -> Any:
    """What was sent and failed per minute in the last 1, 6 or 24 hours, averaged over 1, 5 or 15 minutes."""
    found = here.run_here(lambda db, workspace_id: rates.per_minute(db, workspace_id, hours=hours))
    return {"bucket_minutes": rates.BUCKETS[hours], "buckets": [asdict(bucket) for bucket in found]}


@router.post("/api/stop", response_model=Switch)
def stop(here: Here) -> Any:
    """Stop all sending of the workspace: nothing begins any more, until `/api/go`."""
    here.run_here(lambda db, workspace_id: control.stop_all(db, workspace_id, who=WHO))
    return {"sending": False}


@router.post("/api/go", response_model=Switch)
def go(here: Here) -> Any:
    """Let sending go on."""
    here.run_here(lambda db, workspace_id: control.go(db, workspace_id, who=WHO))
    return {"sending": True}
