"""A look at our numbers: one question for each business account and token, all at once."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Final

from bridge.cloud import answers, roster
from bridge.cloud.accounts import Account
from bridge.cloud.answers import NothingToldError
from bridge.cloud.graph import Graph, usable
from bridge.protocol import BridgeAwayError, BridgeRefusedError, Roster, SessionStatus
from domain.failures import DEVICE_CODES

AT_A_TIME: Final = 8
_PAGE: Final = 100  # numbers
_MOST_PAGES: Final = 100  # an answer that always names one more page is none

_Found = Mapping[str, SessionStatus]


class Looking:
    """Looks through ``graph``. Safe for threads."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._pool = ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="meta")  # a thread is started when one is needed

    def at_all(self, accounts: Sequence[Account], timeout_s: float) -> Roster:
        """How all of these are. Those of which Meta says nothing now, while it answers about others, are ``unheard``, as are
        those whose token this process cannot open. Raises BridgeAwayError when Meta was asked and has no answer at all; that
        it refuses to tell is no reason to stop sending."""
        until = time.monotonic() + timeout_s
        asked: dict[tuple[str, str], list[str]] = defaultdict(list)
        for account in (one for one in accounts if one.opened):
            asked[account.business_id, account.token].append(account.phone_number_id)
        looks = {which: self._pool.submit(self.numbers_of, *which, until) for which in asked}
        wait(looks.values(), timeout_s)
        sessions: list[SessionStatus] = []
        unheard = [account.phone_number_id for account in accounts if not account.opened]
        troubles: list[BridgeAwayError] = []
        for which, numbers in asked.items():
            try:
                sessions += _statuses(looks[which], numbers)
            except BridgeAwayError as error:
                troubles.append(error)
                unheard += numbers
        if troubles and not sessions and not any(isinstance(trouble, NothingToldError) for trouble in troubles):
            raise troubles[0]
        return Roster("cloud", sessions, frozenset(unheard))

    def numbers_of(self, business_id: str, token: str, until: float) -> _Found:
        """The numbers of a business account by their id, as far as Meta says it by ``until`` (time.monotonic()). Raises
        BridgeRefusedError and BridgeAwayError."""
        if not usable(token):
            raise BridgeRefusedError(401, "token_refused", "its access token cannot be read")
        query = {"fields": roster.FIELDS, "limit": _PAGE}
        rows = self.pages(f"{business_id}/phone_numbers", token, query, lambda: until - time.monotonic())
        try:
            found = [roster.status_of(row) for row in rows]
        except KeyError:
            raise BridgeAwayError("bridge_unreachable", "Meta's answer cannot be read") from None
        return {status.session: status for status in found}

    def pages(
        self, path: str, token: str, query: Mapping[str, Any], left_s: Callable[[], float]
    ) -> list[dict[str, Any]]:
        """All rows of a list; ``left_s`` says how long the next page may take. Raises BridgeRefusedError and
        BridgeAwayError."""
        rows: list[dict[str, Any]] = []
        asked = dict(query)
        for _ in range(_MOST_PAGES):
            if (limit_s := left_s()) <= 0:
                raise BridgeAwayError("bridge_unreachable", "Meta does not answer in time")
            body = answers.read(self._graph.ask("GET", path, token, limit_s, params=asked), token).body
            data, paging = body.get("data"), body.get("paging")
            if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
                raise BridgeAwayError("bridge_unreachable", "Meta's answer cannot be read")
            rows += data
            if not isinstance(paging, dict) or paging.get("next") is None:
                return rows
            cursors = paging.get("cursors")
            after = cursors.get("after") if isinstance(cursors, dict) else None
            if not isinstance(after, str) or not after:
                break
            asked["after"] = after  # on our own path: the address in ``next`` could lead anywhere, and holds a token
        raise BridgeAwayError("bridge_unreachable", "Meta's answer goes on where it cannot be followed")


def _statuses(look: Future[_Found], numbers: Sequence[str]) -> list[SessionStatus]:
    """What a look says of these numbers. Raises BridgeAwayError when it says nothing: also when Meta refuses with what is no
    matter of theirs, such as a field that it does not know any more, since they go on sending."""
    if not look.done():
        raise BridgeAwayError("bridge_unreachable", "Meta does not answer in time")
    try:
        found = look.result()
    except BridgeRefusedError as error:
        if error.code not in DEVICE_CODES:
            raise NothingToldError("bridge_unreachable", f"Meta refuses to tell: {error.reason}") from None
        return [roster.refused(number, error) for number in numbers]
    return [found.get(number) or roster.missing(number) for number in numbers]
