"""Reading broadcasts and what an operator does to them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from api.context import LARGEST_ID, WHO, Context, Here, Id, Key, keyed
from api.errors import not_found
from api.text import Text
from domain.people import rejected_csv
from domain.status import MessageStatus
from services import broadcasts, control, repeats

router = APIRouter(tags=["Broadcasts"])

NO_BROADCAST: dict[int | str, dict[str, Any]] = {404: {"description": "NOT_FOUND"}}
NOT_NOW: dict[int | str, dict[str, Any]] = {**NO_BROADCAST, 409: {"description": "NOT_POSSIBLE in its present state"}}


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


class Detail(Summary):
    counts: Counts
    total: int
    invalid_recipients_count: int
    failures: list[Missed] = Field(description="The first 100 who did not get it, or of whom nobody knows")
    eta: datetime | None = Field(description="Roughly when it will be done; null unless it is running")


class MessageState(BaseModel):
    """A person's message, with a code and words where it is bad news, and the time of each state."""

    id: int
    phone: str
    name: str | None
    status: MessageStatus
    code: str | None
    reason: str | None
    device_id: int | None
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


class Messages(BaseModel):
    messages: list[Message]
    next_after: int | None = Field(description="The `after` of the next page; null on the last one")


class Retry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    codes: Annotated[list[Text], Field(min_length=1)] | None = Field(
        None, description="Only those who failed with one of these codes", examples=[["not_connected", "expired"]]
    )


class Done(BaseModel):
    broadcast_id: int
    status: str = Field(description="The broadcast's status afterwards")


class Cancelled(Done):
    cancelled_count: int = Field(description="Messages that waited and will not be sent")


class Retried(Done):
    queued_count: int = Field(description="Messages that wait to be sent again")


@router.get("/api/broadcasts", response_model=Broadcasts)
def list_broadcasts(
    here: Here,
    after: Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="`next_after` of the page before")] = None,
) -> Any:
    """All broadcasts, the newest first, 100 a page."""
    page = here.run_here(lambda db, workspace_id: broadcasts.page(db, workspace_id, before=after))
    rows = [{**row, "broadcast_id": row["id"], "counts": _nine(row)} for row in page.rows]
    return {"broadcasts": rows, "next_after": page.next_after}


@router.get("/api/broadcasts/{broadcast_id}", response_model=Detail, responses=NO_BROADCAST)
def read_broadcast(broadcast_id: Id, here: Here) -> Any:
    """How a broadcast stands, counted now."""
    found = here.run_here(lambda db, workspace_id: broadcasts.one(db, workspace_id, broadcast_id))
    if found is None:
        raise not_found(f"broadcast {broadcast_id}")
    return {
        **asdict(found),
        "broadcast_id": found.id,
        "total": found.total,
        "invalid_recipients_count": found.invalid_count,
    }


@router.get("/api/broadcasts/{broadcast_id}/messages", response_model=Messages, responses=NO_BROADCAST)
def list_messages(
    broadcast_id: Id,
    here: Here,
    status: MessageStatus | None = None,
    after: Annotated[int, Query(ge=0, le=LARGEST_ID, description="`next_after` of the page before")] = 0,
) -> Any:
    """The people of a broadcast, 100 a page, all or those in one state."""
    page = here.run_here(
        lambda db, workspace_id: broadcasts.messages(db, workspace_id, broadcast_id, status=status, after=after)
    )
    if page is None:
        raise not_found(f"broadcast {broadcast_id}")
    return {"messages": page.rows, "next_after": page.next_after}


@router.get(
    "/api/broadcasts/{broadcast_id}/rejected.csv",
    response_class=Response,
    responses={**NO_BROADCAST, 200: {"content": {"text/csv": {}}}},
)
def download_rejected(broadcast_id: Id, here: Here) -> Response:
    """The rows that nobody is written to for, with the reason of each: to be corrected and uploaded again."""
    found = here.run_here(lambda db, workspace_id: broadcasts.rejected(db, workspace_id, broadcast_id))
    if found is None:
        raise not_found(f"broadcast {broadcast_id}")
    # With the mark a spreadsheet knows that it is UTF-8.
    content = rejected_csv(*found).encode("utf-8-sig")
    disposition = f'attachment; filename="broadcast-{broadcast_id}-rejected.csv"'
    return Response(content, media_type="text/csv; charset=utf-8", headers={"Content-Disposition": disposition})


@router.post("/api/broadcasts/{broadcast_id}/pause", response_model=Done, responses=NOT_NOW)
def pause_broadcast(broadcast_id: Id, here: Here) -> Any:
    """Begin no further message. Messages already handed to phones may still go out."""

    def pause(db: Connection) -> Any:
        control.pause(db, broadcast_id, who=WHO)
        return _done(db, here, broadcast_id)

    return here.run(pause)


@router.post("/api/broadcasts/{broadcast_id}/resume", response_model=Done, responses=NOT_NOW)
def resume_broadcast(broadcast_id: Id, here: Here) -> Any:
    """Go on where it was paused."""

    def resume(db: Connection) -> Any:
        control.resume(db, broadcast_id, who=WHO)
        return _done(db, here, broadcast_id)

    return here.run(resume)


@router.post("/api/broadcasts/{broadcast_id}/cancel", response_model=Cancelled, responses=NOT_NOW)
def cancel_broadcast(broadcast_id: Id, here: Here) -> Any:
    """End it now: everybody who waits is not sent to."""

    def cancel(db: Connection) -> Any:
        waiting = control.cancel(db, broadcast_id, who=WHO)
        return {**_done(db, here, broadcast_id), "cancelled_count": waiting}

    return here.run(cancel)


@router.post("/api/broadcasts/{broadcast_id}/retry", response_model=Retried, responses=NOT_NOW)
def retry_broadcast(broadcast_id: Id, here: Here, key: Key, body: Retry | None = None) -> Any:
    """Queue again who failed, when it is proven that nothing was sent to them. Those in doubt stay as they are."""
    codes = body.codes if body else None

    def retry(db: Connection) -> Any:
        workspace_id = here.workspace(db).id
        request_key = keyed(workspace_id, key, f"/api/broadcasts/{broadcast_id}/retry", codes)

        def do() -> repeats.Answer:
            queued = control.retry(db, broadcast_id, who=WHO, codes=codes)
            return {**_done(db, here, broadcast_id), "queued_count": queued}

        return repeats.once(db, request_key, do)

    return here.run(retry)


def _done(db: Connection, here: Context, broadcast_id: int) -> dict[str, Any]:
    return {"broadcast_id": broadcast_id, "status": broadcasts.status_of(db, here.workspace(db).id, broadcast_id)}


def _nine(row: dict[str, Any]) -> dict[str, int] | None:
    if row["counted_at"] is None:
        return None
    return {str(status): row["counts"].get(status, 0) for status in MessageStatus}
