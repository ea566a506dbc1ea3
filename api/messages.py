"""Single sends, and the whole story of one message (R57)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from api.broadcasts import MessageState
from api.context import WHO, Here, Id, Key, keyed
from api.control import NOT_NOW
from api.errors import not_found, refusals
from api.launch_bodies import FilledTemplate, MessageOrTemplate, NotGiven, SomeId, asked_of
from api.text import Text
from services import control, doubts, message_views, repeats, single

router = APIRouter(tags=["Messages"])


class SingleSend(BaseModel):
    """One message to one person from one device."""

    model_config = ConfigDict(extra="forbid")

    device_id: SomeId
    phone: Annotated[Text, Field(max_length=100, examples=["050-123-4567"])]
    template: FilledTemplate | None = Field(
        None,
        description="In the place of `text`: a template of Meta's, from an official number, with values as they are",
    )
    text: MessageOrTemplate = Field(default_factory=NotGiven, validate_default=True, examples=["Your order is ready."])


class Queued(BaseModel):
    id: int
    status: str


class MayDouble(BaseModel):
    """A decision that is spelt out."""

    model_config = ConfigDict(extra="forbid")

    may_double: Literal[True] = Field(description="Must be true: the person may get it twice")


class Attempt(BaseModel):
    """One try to hand a message over."""

    number: int
    key: str = Field(description="The send key: the bridge's idempotency key")
    device_id: int
    device_name: str | None
    worker_id: str
    due_at: datetime
    begun_at: datetime
    finished_at: datetime | None
    outcome: str = Field(description="begun, unknown, not_sent, sent, delivered or read")
    proof: str | None = Field(description="What proves that it was not sent")
    provider_message_id: str | None
    code: str | None
    reason: str | None


class Story(MessageState):
    attempts: list[Attempt]
    campaign_id: int | None
    origin: str
    lead_id: int | None
    processing_worker_id: str | None
    processing_started_at: datetime | None
    campaign_title: str | None
    text: str = Field(description="What this person was or will be sent")
    undecided: bool = Field(description="It is in doubt, and nobody has decided whether it is sent again")


@router.post(
    "/api/messages",
    status_code=202,
    response_model=Queued,
    responses=refusals(
        {
            409: "SUPPRESSED: the person is on the never-send list; TEMPLATE_NOT_APPROVED; OUTSIDE_WINDOW: from an official "
            "number free text goes only to somebody who has written to it within 24 hours",
            422: "INVALID_PHONE, UNKNOWN_DEVICE; of a template as at `POST /api/broadcasts`; "
            "IDEMPOTENCY_KEY_REUSED, or INVALID: a field is wrong",
        }
    ),
)
def send_message(body: SingleSend, here: Here, key: Key) -> Any:
    """Queue one message. It goes out before the broadcasts of its device."""

    def send(db: Connection) -> repeats.Answer:
        workspace = here.workspace(db)

        def do() -> repeats.Answer:
            to: dict[str, Any] = {
                "device_id": body.device_id,
                "number": body.phone,
                "default_country": workspace.default_country,
            }
            if body.template is None:
                queued = single.send(db, workspace.id, body=body.text, **to)
            else:
                queued = single.send_template(db, workspace.id, body.template.model_dump(), **to)
            return {"id": queued.id, "status": queued.status}

        return repeats.once(db, keyed(workspace.id, key, "/api/messages", asked_of(body)), do)

    return here.run(send)


@router.post("/api/messages/{message_id}/cancel", response_model=Queued, responses=NOT_NOW)
def cancel_message(message_id: Id, here: Here) -> Any:
    """A message that waits is not sent."""
    status = here.run_here(lambda db, workspace_id: control.cancel_message(db, workspace_id, message_id, who=WHO))
    return {"id": message_id, "status": status}


@router.post("/api/messages/{message_id}/retry", status_code=202, response_model=Queued, responses=NOT_NOW)
def retry_unknown_message(message_id: Id, body: MayDouble, here: Here) -> Any:
    """Send a message again of which nobody knows whether it arrived: it may arrive twice, and that is your decision."""
    here.run_here(lambda db, workspace_id: doubts.send_again(db, workspace_id, message_id, who=WHO))
    return {"id": message_id, "status": "queued"}


@router.post("/api/messages/{message_id}/leave", response_model=Queued, responses=NOT_NOW)
def leave_unknown_message(message_id: Id, here: Here) -> Any:
    """Leave a message as it is of which nobody knows whether it arrived. A receipt that comes later still counts."""
    here.run_here(lambda db, workspace_id: doubts.leave(db, workspace_id, message_id, who=WHO))
    return {"id": message_id, "status": "unknown"}


@router.get("/api/messages/{message_id}", response_model=Story, responses=refusals({404: "NOT_FOUND"}))
def read_message(message_id: Id, here: Here) -> Any:
    """A message with each of its attempts."""
    found = here.run_here(lambda db, workspace_id: message_views.one(db, workspace_id, message_id))
    if found is None:
        raise not_found(f"message {message_id}")
    return found
