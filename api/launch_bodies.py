"""What a launch is asked with, and what it answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
    model_validator,
)

from api.context import LARGEST_ID
from api.errors import refusals
from api.text import Text
from domain.limits import FURTHEST_AHEAD, LONGEST_DELAY_S, LONGEST_MESSAGE, LONGEST_TITLE


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text


class NotGiven(str):
    """A text that a request leaves out."""

    __slots__ = ()


def _or_template(given: Any, check: ValidatorFunctionWrapHandler, info: ValidationInfo) -> str:
    """A text, or none where a template stands in its place; one of the two there must be."""
    if isinstance(given, NotGiven):
        if info.data.get("template", NotGiven()) is None:  # neither given nor wrong
            raise ValueError("is missing")
        return ""
    if info.data.get("template") is not None:
        raise ValueError("cannot go together with a template")
    return str(check(given))


MessageText = Annotated[Text, Field(min_length=1, max_length=LONGEST_MESSAGE), AfterValidator(_not_blank)]
# For a field that comes after one called ``template``.
MessageOrTemplate = Annotated[MessageText, WrapValidator(_or_template)]
SomeId = Annotated[int, Field(ge=1, le=LARGEST_ID)]
LONGEST_NAME = 512  # of a template, by Meta's rules
Delay = Annotated[float, Field(ge=0, le=LONGEST_DELAY_S, allow_inf_nan=False)]

REFUSALS = refusals(
    {
        400: "NO_RECIPIENTS; ALL_INVALID with each reason",
        409: "OUTSIDE_WINDOW: `details.outside_count` people have not written to the official numbers within 24 hours; "
        "TEMPLATE_NOT_APPROVED, TEMPLATE_CHANGED",
        422: "INVALID: a field is wrong, and `details.field` names it; BAD_MESSAGE, UNKNOWN_DEVICE, MIXED_KINDS; of a "
        "template NOT_OFFICIAL, TEMPLATE_NOT_THERE, TEMPLATE_UNSUPPORTED, TEMPLATE_NOT_FILLED, TEMPLATE_NEEDS_FILE, "
        "UNKNOWN_PLACE, UNKNOWN_MEDIA, WRONG_FILE; "
        "IDEMPOTENCY_KEY_REUSED; for a CSV file its own codes, such as ENCODING_UNKNOWN",
        503: "WHATSAPP_NOT_CONNECTED: no chosen device can send, and `details.devices` says what each needs",
    }
)


class FilledTemplate(BaseModel):
    """A template of an official number, approved by Meta, and what fills its places."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[Text, Field(min_length=1, max_length=LONGEST_NAME, examples=["order_ready"])]
    language: Annotated[Text, Field(min_length=1, max_length=LONGEST_NAME, examples=["en_US"])]
    values: dict[Text, Text] = Field(
        default_factory=dict,
        description="What stands in each of its places, by the place's key; `GET /api/templates` tells them.",
        examples=[{"body.1": "{name|there}"}],
    )
    media_id: SomeId | None = Field(None, description="The file of its header, from `POST /api/media`")


class How(BaseModel):
    """What a launch asks for besides its recipients."""

    model_config = ConfigDict(extra="forbid")

    template: FilledTemplate | None = Field(
        None,
        description="In the place of `message`: a template of Meta's, from official numbers. Values as in `message`.",
    )
    message: MessageOrTemplate = Field(
        default_factory=NotGiven,
        validate_default=True,
        description="The text. `{name}` is replaced by the person's value, `{name|there}` has a fallback.",
        examples=["Hello {name|there}!"],
    )
    title: Annotated[Text, Field(min_length=1, max_length=LONGEST_TITLE)] | None = Field(
        None, examples=["November promo"]
    )
    device_ids: Annotated[list[SomeId], Field(min_length=1)] | None = Field(
        None, description="Devices to send from; without it all that can send", examples=[[1, 2]]
    )
    min_delay_s: Delay | None = Field(None, description="Least pause of a device between two messages, in seconds")
    max_delay_s: Delay | None = Field(None, description="Longest pause of a device between two messages, in seconds")
    scheduled_at: AwareDatetime | None = Field(
        None, description="When to start, with its time zone; without it now", examples=["2026-12-01T09:00:00+02:00"]
    )
    allow_repeat: bool = Field(
        False, description="Send although the same content was launched within the last ten minutes"
    )

    @field_validator("scheduled_at")
    @classmethod
    def _in_reach(cls, at: datetime | None) -> datetime | None:
        now = datetime.now(UTC)
        if at is not None and not now - timedelta(days=1) <= at <= now + FURTHEST_AHEAD:
            raise ValueError("must be a time from now to a year ahead")
        return at

    @model_validator(mode="after")
    def _delays_in_order(self) -> How:
        if self.min_delay_s is not None and self.max_delay_s is not None and self.min_delay_s > self.max_delay_s:
            raise ValueError("min_delay_s must not be above max_delay_s")
        return self


class Broadcast(How):
    """A message to many. Recipients may come in any of three fields, which are merged."""

    # Not typed further: what one item lacks is a rejected row with its reason, and does not stop the others.
    recipients: list[Any] = Field(
        default_factory=list,
        description="Numbers, or `{phone, name, variables}`. Those that cannot be used are answered as `invalid`.",
        examples=[["050-123-4567", {"phone": "+972521234567", "name": "Dana", "variables": {"city": "Haifa"}}]],
    )
    phones: list[Any] = Field(default_factory=list, description="The same as `recipients`", examples=[[]])
    lead_ids: list[SomeId] = Field(default_factory=list, description="Ids of leads", examples=[[]])


def asked_of(body: BaseModel) -> dict[str, Any]:
    """All that a body asks for, to know it again by its key: without a template as it was before there were any."""
    asked = body.model_dump()
    return {name: value for name, value in asked.items() if name != "template" or value is not None}


class Invalid(BaseModel):
    phone: str
    row: int
    reason: str


class Item(BaseModel):
    phone: str
    lead_id: int | None
    status: str


class LaunchAnswer(BaseModel):
    """Proof of queuing: what is counted here is committed in the database."""

    success: bool
    broadcast_id: int
    job_id: str = Field(description="Id of the job that spreads the recipients over the devices; also in the logs")
    status: str
    queued_count: int
    sent_count: int
    invalid_recipients_count: int
    invalid: list[Invalid] = Field(description="The first 100 that cannot be sent to, and why")
    items: list[Item] = Field(description="The first 100 recipients")
    warnings: list[Invalid] = Field(description="The first 100 that are sent to, but look wrong: not a mobile number")
    idempotent: bool = Field(description="This is an earlier launch of the same content, and nothing new was queued")
