"""Our client for a fake Graph."""

from __future__ import annotations

from graph import Graph
from graph_world import Number

from bridge.cloud.accounts import Account
from bridge.cloud.client import CloudBridge


def account_of(number: Number) -> Account:
    return Account(number.id, number.business_id, number.token)


class Numbers:
    """``Accounts`` with the tokens that a fake Graph takes; ``tokens`` are those that were replaced, by the number's id."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.tokens: dict[str, str] = {}

    def one(self, session: str) -> Account | None:
        return next((account for account in self.every() if account.phone_number_id == session), None)

    def every(self) -> list[Account]:
        return [
            Account(number.id, number.business_id, self.tokens.get(number.id, number.token))
            for number in self._graph.world.numbers.values()
        ]


def client(url: str, numbers: Numbers, send_limit_s: int = 5) -> CloudBridge:
    return CloudBridge(numbers, url, "v24.0", send_limit_s=send_limit_s, http_timeout_s=send_limit_s + 2)
