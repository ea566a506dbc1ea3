"""What an installation has for Meta's Cloud API, besides the bridge of its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from bridge.cloud.accounts import Account, Accounts
from bridge.protocol import File, NotSent, SessionStatus
from services.refused import Refused
from services.seal import Seal


class Client(Protocol):
    """What is asked of Meta besides the bridge contract. Every method but ``upload`` raises BridgeAwayError and
    BridgeRefusedError, whose reason is in Meta's words."""

    def verify(self, account: Account) -> SessionStatus:
        """How this number is, seen with this token; refused when its business account is not seen, or does not have it."""
        ...

    def subscribe(self, account: Account) -> None:
        """Let the webhooks of its business account come to our app."""
        ...

    def upload(self, session: str, file: File) -> str | NotSent:
        """Meta's id of a file that this number has uploaded; a value, as of a send, when it was not: nothing was sent."""
        ...

    def templates(self, account: Account) -> list[dict[str, Any]]:
        """All templates of its business account."""
        ...


@dataclass(frozen=True, slots=True)
class Cloud:
    """There is one where CLOUD_TOKEN_KEY is set."""

    client: Client
    accounts: Accounts
    seal: Seal


def set_up(cloud: Cloud | None) -> Cloud:
    """Raises Refused, CLOUD_NOT_SET_UP."""
    if cloud is None:
        raise Refused(
            "CLOUD_NOT_SET_UP",
            "The setting CLOUD_TOKEN_KEY is missing, so access tokens cannot be kept: set it and start Fanfare again.",
        )
    return cloud
