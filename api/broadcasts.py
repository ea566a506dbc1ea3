"""Reading broadcasts: how they stand, their people, the rows that could not become recipients."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api.context import LARGEST_ID, Here, Id
from api.errors import not_found, refusals
from api.text import Text
from domain.people import rejected_csv
from domain.status import MessageStatus
from services import campaign_views, recipients
from services.recipients import Filter

router = APIRouter(tags=["Broadcasts"])

NO_BROADCAST = refusals({404: "NOT_FOUND"})


class Counts(BaseModel):
    """People by where they stand now; together they are `total`."""

    queued: int
    processing: int
    unknown: int
    sent: int
    failed: int
    delivered: int
    read: int
    cancelled: int
    suppressed: int


class Missed(BaseModel):
    phone: str
    code: str
    reason: str
    retryable: bool = Field(description="It is proven that nothing was sent")


class Summary(BaseModel):
    broadcast_id: int
    title: str
    status: str
    reason: str | None = Field(description="Why it is paused or failed")
    created_at: datetime
    scheduled_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None


class Listed(Summary):
    counts: Counts | None = Field(description="As of `counted_at`; not counted yet: null")
    counted_at: datetime | None


class Broadcasts(BaseModel):
    broadcasts: list[Listed]
    next_after: int | None = Field(description="The `after` of the next page; null on the last one")


class Filled(BaseModel):
    """A template of Meta's and what fills its places."""

    name: str
    language: str
    values: dict[str, str]
    media_id: int | None


class Detail(Summary):
    counts: Counts
    total: int
    invalid_recipients_count: int
    failures: list[Missed] = Field(description="The first 100 who did not get it, or of whom nobody knows")
    eta: datetime | None = Field(description="Roughly when it will be done; null unless it is running")
    template: Filled | None = Field(description="What it is sent by; null for free text")
    rate_per_minute: float | None = Field(
        description="Messages sent per minute over the last minutes; null unless it is running and this is known"
    )


class MessageState(BaseModel):
    """A person's message, with a code and words where it is bad news, and the time of each state."""

    id: int
    phone: str
    name: str | None
    status: MessageStatus
    code: str | None
    reason: str | None
    device_id: int | None
    device_name: str | None
    due_at: datetime
    created_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    unknown_at: datetime | None
    failed_at: datetime | None
    cancelled_at: datetime | None
    suppressed_at: datetime | None


class Message(MessageState):
    attempts: int


async def _wanted(
    status: MessageStatus | None = None,
    code: Annotated[
        Text | None, Query(description="As in the broadcast's failures", examples=["not_on_whatsapp"])
    ] = None,
    device_id: Annotated[int | None, Query(ge=1, le=LARGEST_ID)] = None,
) -> Filter:
    return Filter((status,) if status else tuple(MessageStatus), code, device_id)


Wanted = Annotated[Filter, Depends(_wanted)]


class Messages(BaseModel):
    messages: list[Message]
    next_after: int | None = Field(description="The `after` of the next page; null on the last one")
    next_before: int | None = Field(description="The `before` of the page before; null on the first one")


@router.get("/api/broadcasts", response_model=Broadcasts)
def list_broadcasts(
    here: Here,
    after: Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="`next_after` of the page before")] = None,
) -> Any:
    """All broadcasts, the newest first, 100 a page."""
    page = here.run_here(lambda db, workspace_id: campaign_views.page(db, workspace_id, before=after))
    rows = [{**row, "broadcast_id": row["id"], "counts": _nine(row)} for row in page.rows]
    return {"broadcasts": rows, "next_after": page.next_after}


@router.get("/api/broadcasts/{broadcast_id}", response_model=Detail, responses=NO_BROADCAST)
def read_broadcast(broadcast_id: Id, here: Here) -> Any:
    """How a broadcast stands, counted now."""
    found = here.run_here(lambda db, workspace_id: campaign_views.one(db, workspace_id, broadcast_id))
    if found is None:
        raise not_found(f"broadcast {broadcast_id}")
    return {
        **asdict(found),
        "broadcast_id": found.id,
        "total": found.total,
        "eta": found.eta,
        "invalid_recipients_count": found.invalid_count,
    }


@router.get("/api/broadcasts/{broadcast_id}/messages", response_model=Messages, responses=NO_BROADCAST)
def list_messages(
    broadcast_id: Id,
    here: Here,
    wanted: Wanted,
    after: Annotated[int, Query(ge=0, le=LARGEST_ID, description="`next_after` of the page before")] = 0,
    before: Annotated[
        int | None, Query(ge=1, le=LARGEST_ID, description="`next_before` of the page behind; goes before `after`")
    ] = None,
) -> Any:
    """The people of a broadcast, 100 a page: all, or those in one state, with one code, of one device."""
    page = here.run_here(
        lambda db, workspace_id: recipients.page(db, workspace_id, broadcast_id, wanted, after=after, before=before)
    )
    if page is None:
        raise not_found(f"broadcast {broadcast_id}")
    return {"messages": page.rows, "next_after": page.next_after, "next_before": page.next_before}


@router.get(
    "/api/broadcasts/{broadcast_id}/messages.csv",
    response_class=Response,
    responses={**NO_BROADCAST, 200: {"content": {"text/csv": {}}}},
)
def download_messages(broadcast_id: Id, here: Here, wanted: Wanted) -> Response:
    """All people of a broadcast, or those of the same filters, with times in the workspace's time zone."""

    def lines(db: Connection) -> list[str]:
        workspace = here.workspace(db)
        return list(recipients.as_csv(db, workspace.id, broadcast_id, wanted, time_zone=workspace.time_zone))

    found = here.run(lines)
    if not found:
        raise not_found(f"broadcast {broadcast_id}")
    return _csv("".join(found), f"broadcast-{broadcast_id}.csv")


@router.get(
    "/api/broadcasts/{broadcast_id}/rejected.csv",
    response_class=Response,
    responses={**NO_BROADCAST, 200: {"content": {"text/csv": {}}}},
)
def download_rejected(broadcast_id: Id, here: Here) -> Response:
    """The rows that nobody is written to for, with the reason of each: to be corrected and uploaded again."""
    found = here.run_here(lambda db, workspace_id: campaign_views.rejected(db, workspace_id, broadcast_id))
    if found is None:
        raise not_found(f"broadcast {broadcast_id}")
    return _csv(rejected_csv(*found), f"broadcast-{broadcast_id}-rejected.csv")


def _csv(content: str, name: str) -> Response:
    # With the mark a spreadsheet knows that it is UTF-8.
    return Response(
        content.encode("utf-8-sig"),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _nine(row: dict[str, Any]) -> dict[str, int] | None:
    if row["counted_at"] is None:
        return None
    return {str(status): row["counts"].get(status, 0) for status in MessageStatus}
