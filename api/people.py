"""Everything that is known of one phone number."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from api.broadcasts import Message
from api.context import Here
from api.errors import refusals
from api.text import Text
from services import person_views

router = APIRouter(tags=["People"])


class Lead(BaseModel):
    """A person in the book."""

    id: int
    name: str | None
    niche: str | None
    status: str
    tags: list[str]
    attributes: dict[str, Any]
    device_name: str | None
    created_at: datetime


class Suppression(BaseModel):
    reason: str = Field(description="opt_out, invalid, complaint or by_hand")
    proof: str = Field(description="When and why, in words")
    created_at: datetime


class PersonsMessage(Message):
    origin: str
    campaign_id: int | None
    campaign_title: str | None
    campaign_status: str | None


class Person(BaseModel):
    phone: str
    name: str | None = Field(description="From the book, or else from the newest message that has one")
    lead: Lead | None
    suppression: Suppression | None = Field(description="Why nothing is sent to this number")
    messages: list[PersonsMessage] = Field(description="The newest 500, the newest first")


@router.get("/api/people/{phone}", response_model=Person, responses=refusals({422: "INVALID_PHONE"}))
def read_person(
    phone: Annotated[Text, Path(max_length=100, description="In any usual spelling", examples=["050-123-4567"])],
    here: Here,
) -> Any:
    """A number's lead, never-send entry, and every message to it; all empty for a number that is not known."""
    return here.run(lambda db: person_views.find(db, here.workspace(db), phone))
