"""Behaviours set by hand for a session, or for all of them, with the share of keys that each takes."""

from __future__ import annotations

from collections import defaultdict

from bridge.simulator.behaviours import FOR_SESSIONS, Behaviour, draw
from bridge.simulator.store import Store

EVERY_SESSION = ""


class Rules:
    """Kept in the file, so that they hold after a restart."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rules: dict[str, dict[str, float]] = defaultdict(dict)
        for session, behaviour, share in store.read(
            "SELECT session, behaviour, share FROM behaviours ORDER BY behaviour"
        ):
            self._rules[session][behaviour] = float(share)

    def set(self, session: str, shares: dict[str, float]) -> None:
        """Give a session these behaviours, in place of those it had. Raises KeyError for one that sessions do not have."""
        self._rules[session] = {FOR_SESSIONS[name].name: shares[name] for name in sorted(shares)}
        self._store.write("DELETE FROM behaviours WHERE session = ?", session)
        for name, share in shares.items():
            self._store.write("INSERT INTO behaviours VALUES (?, ?, ?)", session, name, share)

    def for_key(self, session: str, key: str) -> Behaviour | None:
        """The behaviour that takes this key: the session's own rules go before those of all."""
        for name in (session, EVERY_SESSION):
            place = draw(key)
            for behaviour, share in self._rules[name].items():
                if place < share:
                    return FOR_SESSIONS[behaviour]
                place -= share
        return None
