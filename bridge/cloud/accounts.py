"""Whose numbers we send from: what a client of the Cloud API must be told of each, by whoever keeps the tokens."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Account:
    """One number: Meta's id of it, which is its session; the business account that it belongs to; and its access token,
    which is never written anywhere. The token is empty when this process cannot open it."""

    phone_number_id: str
    business_id: str
    token: str = field(repr=False)

    @property
    def opened(self) -> bool:
        return bool(self.token)


class Accounts(Protocol):
    """The numbers that we have. Both are asked before every send or look, so they must be cheap, and safe for threads."""

    def one(self, session: str) -> Account | None:
        """The number of this session; None when there is none. Raises BridgeAwayError when that cannot be known."""
        ...

    def every(self) -> list[Account]: ...
