"""What an operator does to a broadcast: pause, resume, cancel, retry, and decide about all its messages in doubt."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from api.context import WHO, Context, Here, Id, Key, keyed
from api.errors import refusals
from api.text import Text
from services import campaign_views, control, doubts, repeats

router = APIRouter(tags=["Broadcasts"])

NOT_NOW = refusals({404: "NOT_FOUND", 409: "NOT_POSSIBLE in its present state"})


class Retry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    codes: Annotated[list[Text], Field(min_length=1)] | None = Field(
        None, description="Only those who failed with one of these codes", examples=[["not_connected", "expired"]]
    )


class InDoubt(BaseModel):
    """All messages in doubt about which nobody had decided at a time. The same decision again finds none of them."""

    model_config = ConfigDict(extra="forbid")

    as_of: AwareDatetime = Field(description="`as_of` of the failures that you saw")


class InDoubtMayDouble(InDoubt):
    may_double: Literal[True] = Field(description="Must be true: these people may get it twice")


class Done(BaseModel):
    broadcast_id: int
    status: str = Field(description="The broadcast's status afterwards")


class Cancelled(Done):
    cancelled_count: int = Field(description="Messages that waited and will not be sent")


class Retried(Done):
    queued_count: int = Field(description="Messages that wait to be sent again")


class Left(Done):
    left_count: int = Field(description="Messages that stay in doubt, and about which nobody is asked again")


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


@router.post("/api/broadcasts/{broadcast_id}/doubts/retry", response_model=Retried, responses=NOT_NOW)
def retry_doubts(broadcast_id: Id, body: InDoubtMayDouble, here: Here) -> Any:
    """Send all messages in doubt again: they may arrive twice, and that is your decision."""

    def retry(db: Connection) -> Any:
        queued = doubts.send_all_again(db, broadcast_id, as_of=body.as_of, who=WHO)
        return {**_done(db, here, broadcast_id), "queued_count": queued}

    return here.run(retry)


@router.post("/api/broadcasts/{broadcast_id}/doubts/leave", response_model=Left, responses=NOT_NOW)
def leave_doubts(broadcast_id: Id, body: InDoubt, here: Here) -> Any:
    """Leave all messages in doubt as they are. A receipt that comes later still counts."""

    def leave(db: Connection) -> Any:
        left = doubts.leave_all(db, broadcast_id, as_of=body.as_of, who=WHO)
        return {**_done(db, here, broadcast_id), "left_count": left}

    return here.run(leave)


def _done(db: Connection, here: Context, broadcast_id: int) -> dict[str, Any]:
    return {"broadcast_id": broadcast_id, "status": campaign_views.status_of(db, here.workspace(db).id, broadcast_id)}
