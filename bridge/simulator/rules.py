"""Behaviours set by hand for a session, or for all of them, with the share of keys that each takes."""

from __future__ import annotations

from bridge.simulator.behaviours import FOR_SESSIONS, Behaviour, draw
from bridge.simulator.store import Store

EVERY_SESSION = ""


class Rules:
    """Kept in the file, so that they hold after a restart."""

    def __init__(self, store: Store) -> None:
        self._store = store
        rows = store.read("SELECT session, behaviour, share FROM rules")
        self._rules = {session: (FOR_SESSIONS[name], float(share)) for session, name, share in rows}

    def set(self, session: str, behaviour: str | None, share: float) -> None:
        """Set or, with None, lift the behaviour of a session. Raises KeyError for one that sessions do not have."""
        if behaviour is None:
            self._rules.pop(session, None)
            self._store.write("DELETE FROM rules WHERE session = ?", session)
        else:
            self._rules[session] = (FOR_SESSIONS[behaviour], share)
            self._store.write("INSERT OR REPLACE INTO rules VALUES (?, ?, ?)", session, behaviour, share)

    def for_key(self, session: str, key: str) -> Behaviour | None:
        """The behaviour that takes this key: the session's own rule goes before that of all."""
        for name in (session, EVERY_SESSION):
            if rule := self._rules.get(name):
                behaviour, share = rule
                if draw(key) < share:
                    return behaviour
        return None
