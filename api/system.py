"""The machine room: processes, queues, what is late, what is wrong; and who did what (R48)."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.context import LARGEST_ID, Here
from domain.faults import Fault
from services import system_views

router = APIRouter(tags=["System"])


class Sending(BaseModel):
    message_id: int
    device: str
    campaign_id: int | None = Field(serialization_alias="broadcast_id")
    campaign: str | None = Field(serialization_alias="broadcast")
    for_s: float


class Process(BaseModel):
    id: str
    kind: str
    version: str
    threads: int
    leads: bool = Field(description="The one dispatcher that releases devices")
    started_at: datetime
    seen_at: datetime
    alive: bool = Field(description="Seen in the last 15 s")
    sending: list[Sending] = Field(description="What it does now; empty: idle")


class Bridge(BaseModel):
    address: str = Field(description="`default` is that of the setting BRIDGE_URL")
    devices: int
    away_since: datetime | None
    reason: str | None
    checked_at: datetime | None = Field(description="When it last told how its devices are")


class Queue(BaseModel):
    name: str
    waiting: int
    delayed: int
    dead: int


class DeadLetter(BaseModel):
    queue: str
    actor: str
    arguments: list[int]
    at: datetime


class Queues(BaseModel):
    """As the leading dispatcher last saw them."""

    age_s: float
    away_since: datetime | None = Field(description="Redis does not answer: the figures are those of `counted_at`")
    counted_at: datetime | None
    queues: list[Queue]
    dead_letters: list[DeadLetter]
    memory_used: int = Field(description="Bytes of Redis")
    memory_limit: int = Field(description="0: none")
    memory_policy: str


class Oldest(BaseModel):
    message_id: int
    campaign_id: int | None = Field(serialization_alias="broadcast_id")
    device_id: int
    device_name: str
    waits_s: float


class Versions(BaseModel):
    fanfare: str
    schema_revision: str
    python: str
    postgres: str
    redis: str | None


class System(BaseModel):
    at: datetime
    faults: list[Fault] = Field(description="What is wrong now, the gravest first; empty: all is well")
    processes: list[Process]
    bridges: list[Bridge]
    queues: Queues | None = Field(description="null before the first report of a dispatcher")
    oldest: Oldest | None = Field(description="The message that could be sent now and has waited longest")
    in_doubt: int = Field(description="Messages of which nobody knows whether they went out, and nobody has decided")
    events_waiting: int = Field(description="Events that were stored and not applied yet")
    oldest_event_s: float | None
    attempts: int = Field(description="Begun in the last five minutes")
    lateness_p50_s: float | None = Field(description="How late those began after they could have")
    lateness_p99_s: float | None
    versions: Versions


class Entry(BaseModel):
    id: int
    at: datetime
    who: str
    action: str
    subject: str = Field(examples=["campaign:12"])
    name: str | None
    details: dict[str, Any]


class Trail(BaseModel):
    entries: list[Entry]
    next_before: int | None = Field(description="The `before` of the next page; null on the last one")


@router.get("/api/system", response_model=System)
def read_system(here: Here) -> Any:
    """How the machine room is: first what is wrong, then everything that runs and waits."""
    return asdict(here.run_here(system_views.read))


@router.get("/api/audit", response_model=Trail)
def read_audit(
    here: Here,
    before: Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="`next_before` of the page before")] = None,
) -> Any:
    """Who did what, the latest first, 100 a page."""
    entries = here.run_here(lambda db, workspace_id: system_views.audit_trail(db, workspace_id, before=before))
    full = len(entries) == system_views.AUDIT_PAGE
    return {"entries": [asdict(entry) for entry in entries], "next_before": entries[-1].id if full else None}
