"""Every setting of Fanfare, and the only reader of the environment.

A process calls ``load("database_url", ...)`` once at its start, naming the settings without which it cannot run, and
hands values on from there. Values come from the environment, then from ``.env`` beside this file. docs/settings.md
lists every one; a test compares that table with this class.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import phonenumbers
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

import failpoints

ROOT = Path(__file__).resolve().parent
AUTH_KEY_BYTES = 32
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class SettingsError(Exception):
    """A setting is missing or wrong; the text is one line that says what to do."""


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_file=ROOT / ".env", extra="ignore", frozen=True, env_ignore_empty=False)

    # Where the other parts are
    database_url: str | None = Field(None, description="Postgres, as postgresql://user:password@host:port/name")
    redis_url: str | None = Field(
        None, description="Redis, as redis://host:port/0; the queue uses the database number after it (here 1)"
    )
    bridge_url: str | None = Field(None, description="Where the bridge contract is served, without a trailing slash")
    bridge_secret: SecretStr | None = Field(None, description="The X-Internal-Secret of every request to the bridge")
    events_url: str | None = Field(None, description="Where the bridge posts its events: our API's /events/bridge")
    events_secret: SecretStr | None = Field(None, description="Key of the signature on the bridge's events")
    bridge: Literal["simulator", "baileys"] = Field(
        "simulator", description="The bridge that this installation runs: simulator, or baileys for real WhatsApp"
    )

    # Who may come in
    api_token: SecretStr | None = Field(None, description="Bearer token of the REST API")
    console_password: SecretStr | None = Field(None, description="Password of the console")
    console_session_s: int = Field(
        43_200, ge=60, description="Seconds after which the console asks for the password again"
    )
    host: str = Field("127.0.0.1", description="Address on which the API, the console and the bridge listen")
    port: int | None = Field(
        None,
        description="Port given by a platform; goes before API_PORT, CONSOLE_PORT, SIMULATOR_PORT and BAILEYS_PORT",
    )
    api_port: int = Field(8000, ge=1, le=65535, description="Port of the API")
    console_port: int = Field(8501, ge=1, le=65535, description="Port of the console")

    # The workspace
    default_country: str = Field("IL", description="Country of phone numbers written without +, two letters")
    time_zone: str = Field("UTC", description="Time zone of a new workspace, for days and daily caps")

    # Sending
    send_limit_s: int = Field(
        30, ge=1, description="Seconds a bridge has for one send; HTTP time-out, mutex and lease follow from it"
    )
    max_attempts: int = Field(3, ge=1, le=10, description="Attempts in all for errors known not to have sent")
    message_window_s: int = Field(
        10_800, ge=1, description="Seconds a message may wait while it could have been sent, before it expires"
    )
    health_interval_s: float = Field(30, gt=0, description="Seconds between health checks of devices")
    worker_processes: int = Field(1, ge=1, description="Worker processes a worker command starts")
    worker_threads: int = Field(16, ge=1, description="Threads of each worker process; one holds one send")

    # This machine (make up)
    data_dir: Path = Field(Path(".local"), description="Folder of the embedded servers' data, logs and secrets")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Lowest level that is logged")

    # Tests of failure
    failpoint: str | None = Field(
        None, description="Where this process kills, stops or fails itself, as place:action (docs/reliability.md)"
    )

    # The simulator
    simulator_port: int = Field(8100, ge=0, le=65535, description="Port of the simulator")
    simulator_latency_ms: int = Field(40, ge=0, description="Milliseconds a simulated send takes")
    simulator_receipts: bool = Field(True, description="Whether the simulator reports delivered and read")

    # Real WhatsApp (the Baileys sidecar, which reads its environment itself)
    baileys_port: int = Field(8200, ge=0, le=65535, description="Port of the Baileys sidecar")
    baileys_auth_key: SecretStr | None = Field(
        None, description="Key that seals the linked devices' secrets in the database: 32 bytes as base64"
    )
    baileys_wa_version: str | None = Field(
        None, pattern=r"^\d+\.\d+\.\d+$", description="Version of WhatsApp Web to claim, in place of Baileys' own"
    )
    baileys_checks_per_minute: int = Field(
        20, ge=1, description="Numbers that one session may ask WhatsApp about in a minute; more gets accounts banned"
    )

    # Meta's Cloud API
    cloud_token_key: SecretStr | None = Field(
        None, description="Key that seals the access tokens of Cloud API numbers in the database: 32 bytes as base64"
    )
    cloud_app_secret: SecretStr | None = Field(
        None, description="Meta's secret of your app: the key of the signature on its webhooks"
    )
    cloud_verify_token: SecretStr | None = Field(
        None, description="Word of yours that Meta repeats when it verifies the webhook's address"
    )
    cloud_graph_url: str = Field("https://graph.facebook.com", description="Where Meta's Graph API is served")
    cloud_api_version: str = Field("v24.0", pattern=r"^v\d+\.\d+$", description="Version of the Graph API")

    # Set by the platform
    dyno: str | None = Field(None, description="Set by Heroku: embedded servers refuse to start")
    railway_environment: str | None = Field(None, description="Set by Railway: embedded servers refuse to start")

    @model_validator(mode="before")
    @classmethod
    def _nothing_empty(cls, given: Mapping[str, object]) -> Mapping[str, object]:
        # As given: an empty DATA_DIR would already be the folder we are in.
        for name, value in given.items():
            if isinstance(value, str) and not value.strip() and name not in ("dyno", "railway_environment"):
                raise ValueError(f"{name.upper()} is empty: give it a value or remove it")
        return given

    @field_validator("redis_url", "bridge_url", "events_url", "cloud_graph_url")
    @classmethod
    def _address(cls, url: str | None, info: ValidationInfo) -> str | None:
        schemes = ("redis://", "rediss://", "unix://") if info.field_name == "redis_url" else ("http://", "https://")
        if url is not None and not url.startswith(schemes):
            raise ValueError(f"must begin with {' or '.join(schemes)}")
        return url

    @field_validator("cloud_graph_url")
    @classmethod
    def _nobody_listens(cls, url: str) -> str:
        # Every request has a number's access token.
        if url.startswith("http://") and urlsplit(url).hostname not in _LOOPBACK:
            raise ValueError("must begin with https://, unless it is on this machine")
        return url

    @field_validator("default_country")
    @classmethod
    def _known_country(cls, country: str) -> str:
        if country not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError(f"there is no country {country!r} with phone numbers: write it like IL")
        return country

    @field_validator("time_zone")
    @classmethod
    def _known_time_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"there is no time zone {name!r}: write it like Asia/Jerusalem") from None
        return name

    @field_validator("baileys_auth_key", "cloud_token_key")
    @classmethod
    def _a_whole_key(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and not _is_auth_key(key.get_secret_value()):
            raise ValueError("must be 32 bytes as base64: make one with `openssl rand -base64 32`")
        return key

    @field_validator("failpoint")
    @classmethod
    def _readable_failpoint(cls, text: str | None) -> str | None:
        if text is not None:
            failpoints.parse(text)
        return text

    @property
    def on_platform(self) -> bool:
        """On Heroku or Railway, where the disk is not kept."""
        return bool(self.dyno or self.railway_environment)

    @property
    def _margin_s(self) -> float:
        """What an answer, a mutex and a lease must each outlast one another by: a network's and a machine's delays."""
        return max(1.0, self.send_limit_s / 15)

    @property
    def http_timeout_s(self) -> float:
        """How long our client waits for the bridge: longer than the bridge's own limit."""
        return self.send_limit_s + self._margin_s

    @property
    def mutex_s(self) -> float:
        """How long a session's mutex lives: longer than any call made under it."""
        return self.send_limit_s + 3 * self._margin_s

    @property
    def lease_s(self) -> float:
        """How long a worker may keep a message: longer than its mutex."""
        return self.send_limit_s + 5 * self._margin_s


def load(*needed: str) -> Settings:
    """Read and check the environment.

    ``needed`` are names of settings without a default that the caller cannot run without.
    Raises SettingsError, whose text is one line for the operator.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).upper() if first["loc"] else ""
        words = first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"{name}: {words} ({_meaning(name)})" if name else words) from None
    for name in needed:
        if getattr(settings, name) is None:
            raise SettingsError(
                f"{name.upper()} is not set: put it in the environment or in .env "
                f"({_meaning(name)}), or start everything with `make up`"
            )
    return settings


def as_environment(settings: Settings) -> dict[str, str]:
    """Whatever is set, by the environment or by ``.env``, for a process that reads its environment itself."""
    return {name.upper(): given(settings, name) for name in settings.model_fields_set}


def _is_auth_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == AUTH_KEY_BYTES
    except (binascii.Error, ValueError):
        return False


def _meaning(name: str) -> str | None:
    return Settings.model_fields[name.lower()].description


def given(settings: Settings, name: str) -> str:
    """A setting's text, also of one without a default, which ``load`` has checked to be there. Raises SettingsError."""
    value: object = getattr(settings, name)
    if value is None:
        raise SettingsError(f"{name.upper()} is not set")
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
