"""What a request may say of a device, and what is answered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import urlsplit

from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator

from api.text import Text
from domain.condition import Condition


def _bridge_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        served = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        served = False
    if not served or parts.query or parts.fragment or parts.username is not None:
        raise ValueError("must be an address such as http://host:8100")
    return url


Name = Annotated[Text, Field(min_length=1, max_length=100)]
Gap = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
MetaId = Annotated[Text, Field(min_length=1, max_length=64, examples=["106540352242922"])]
Token = Annotated[SecretStr, Field(min_length=1, max_length=8192)]
Cap = Annotated[int, Field(ge=1, le=10_000_000)]


class Add(BaseModel):
    """A number to send from. What is left out is the provider's default."""

    model_config = ConfigDict(extra="forbid")

    name: Name = Field(examples=["Sales 1"])
    provider: Literal["simulator", "baileys", "cloud"]
    session: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$",
        description="The name of its session at the bridge: letters, digits, _ . -; for `cloud` the same as "
        "`phone_number_id`, and one of both is needed",
        examples=["sales-1"],
    )
    phone: Annotated[Text, Field(max_length=100)] | None = Field(None, examples=["+972501234567"])
    min_gap_s: Gap | None = Field(None, description="Least pause between two messages, in seconds")
    daily_cap: Cap | None = Field(None, description="Messages a day")
    bridge_url: Annotated[Text, Field(max_length=500), AfterValidator(_bridge_url)] | None = Field(
        None, description="Address of its own bridge; without it that of the setting BRIDGE_URL"
    )
    phone_number_id: MetaId | None = Field(None, description="Only for `cloud`: Meta's ID of the number")
    business_account_id: MetaId | None = Field(
        None, description="Only for `cloud`: Meta's ID of the WhatsApp Business Account that the number belongs to"
    )
    token: Token | None = Field(None, description="Only for `cloud`: its access token, which is never shown again")

    def check_fields_of_its_kind(self) -> None:
        """A phone needs its session; an official number needs what is its own, and Meta knows its phone."""
        given = {name for name, value in self if value is not None}
        if self.provider == "cloud":
            missing = {"business_account_id", "token"} - given
            ids = {self.session, self.phone_number_id} - {None}
            if not ids:
                missing.add("phone_number_id")
            others = {"phone", "bridge_url"} & given | ({"session"} if len(ids) > 1 else set())
        else:
            missing = {"session"} - given
            others = {"phone_number_id", "business_account_id", "token"} & given
        faults = [{"type": "missing", "loc": ("body", name)} for name in sorted(missing)]
        faults += [{"type": "extra_forbidden", "loc": ("body", name)} for name in sorted(others)]
        if faults:
            raise RequestValidationError(faults)


class Change(BaseModel):
    """What is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    min_gap_s: Gap | None = Field(None, description="Raises the longest pause too when that is below")
    daily_cap: Cap | None = Field(None, description="null: no cap")
    hourly_cap: Cap | None = Field(None, description="null: no cap")
    token: Token | None = Field(
        None, description="Only for `cloud`: another access token; Meta is asked about it first"
    )

    @field_validator("name", "min_gap_s", "token")
    @classmethod
    def _a_value(cls, value: object) -> object:
        if value is None:
            raise ValueError("must not be null")
        return value


class Health(BaseModel):
    """Connected and able to send are different facts; `session_age` is in seconds."""

    id: int
    name: str
    state: str
    connected: bool
    can_send: bool
    session_age: int | None
    last_message_ts: datetime | None
    qr_required: bool
    condition: Condition = Field(description="What is wrong with it, in one code; `ready` when nothing is")
    last_error: str | None
    restricted_until: datetime | None
    checked_at: datetime | None = Field(description="When its bridge last told how it is")


class Device(Health):
    provider: str
    session: str
    phone: str | None
    min_gap_s: float
    max_gap_s: float
    daily_cap: int | None
    hourly_cap: int | None
    sent_today: int
    sent_this_hour: int
    waiting_count: int = Field(description="Messages that wait to be sent from it")
    business_account_id: str | None = Field(description="Of an official number (`cloud`) only, as the two that follow")
    quality: str | None = Field(description="How Meta finds its messages received: GREEN, YELLOW, RED or UNKNOWN")
    messaging_limit: str | None = Field(description="How many people it may write to first in a day, in Meta's words")


class Devices(BaseModel):
    devices: list[Device]


class Moved(BaseModel):
    moved: int
    left: int = Field(description="Wait on: they may have been sent already, or nobody else can send them")


class Cancelled(BaseModel):
    cancelled: int


class Deleted(BaseModel):
    id: int
    leads: int
    messages: int
    still_linked: str | None = Field(
        description="Why WhatsApp could not be told: the phone's owner removes it from its linked devices. Else null"
    )
