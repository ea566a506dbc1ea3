"""Templates of Meta's: which there are, what each asks for, who can send it, and asking Meta for them now (R28)."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.context import Here
from api.errors import refusals
from domain.cloud_template import CannotBeSentError, HeaderKind, asked
from services import sync_templates, templates

router = APIRouter(tags=["Templates"])


class Place(BaseModel):
    key: str = Field(description="Its name among the template's values", examples=["body.1"])
    around: str = Field(description="The text that it stands in")


class Template(BaseModel):
    business_account_id: str
    name: str
    language: str
    status: str = Field(description="Meta's word; only APPROVED can be sent")
    category: str
    parameter_format: str
    components: list[dict[str, Any]] = Field(description="As Meta tells them")
    places: list[Place] = Field(description="What must be filled in")
    header_file: HeaderKind | None = Field(description="The kind of file that its header needs")
    unsupported: str | None = Field(description="Why it cannot be sent from here, whatever its status")
    device_ids: list[int] = Field(description="The numbers of its account")
    synced_at: datetime


class Templates(BaseModel):
    templates: list[Template]


class Fetched(BaseModel):
    business_account_id: str
    templates: int = Field(description="How many it has now")
    trouble: str | None = Field(description="Why they could not be fetched; what was known stays")
    unsubscribed: str | None = Field(description="Why Meta does not send its receipts here")


class Synchronised(BaseModel):
    accounts: list[Fetched]


@router.get("/api/templates", response_model=Templates)
def list_templates(here: Here) -> Any:
    """All templates of the business accounts of our numbers, as Meta last told them."""
    return {"templates": [_described(one) for one in here.run_here(templates.every)]}


@router.post(
    "/api/templates/sync",
    response_model=Synchronised,
    responses=refusals({409: "SYNCHRONISING: it is being done already", 422: "CLOUD_NOT_SET_UP: no CLOUD_TOKEN_KEY"}),
)
def sync(here: Here) -> Any:
    """Ask Meta for all templates now. It is done every five minutes anyway."""
    return {"accounts": [asdict(fetched) for fetched in sync_templates.sync_all(here.run, here.cloud)]}


def _described(template: templates.KnownTemplate) -> dict[str, Any]:
    try:
        wanted = asked(template.components)
    except CannotBeSentError as error:
        return {**asdict(template), "places": [], "header_file": None, "unsupported": str(error)}
    places = [{"key": place.key, "around": place.around} for place in wanted.places]
    return {**asdict(template), "places": places, "header_file": wanted.header_file, "unsupported": None}
