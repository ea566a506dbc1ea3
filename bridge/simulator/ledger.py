"""The ledger: what became of each key, and, apart from that, what each person was handed.

A key goes reserved → dispatching → sent, or reserved → failed; each move names the state it comes from.
*dispatching* is committed before the hand-over and the hand-over before *sent*, so that after a crash the ledger never
claims less than happened.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from bridge.simulator.contract import Answer, Attempt, iso
from bridge.simulator.store import Store

KEPT_S = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Entry:
    """What the ledger knows of one key."""

    fingerprint: str | None
    state: str
    message_id: str | None
    error: str | None
    answer: str | None
    updated_at: float

    def first_answer(self) -> Answer:
        """What the first POST of this key was answered; only for *sent* and *failed*."""
        status, body = json.loads(self.answer or "null")
        return Answer(status, body)


class Ledger:
    def __init__(self, store: Store) -> None:
        self._store = store
        self.since: float = store.read("SELECT at FROM made")[0][0]

    def find(self, key: str) -> Entry | None:
        rows = self._store.read(
            "SELECT fingerprint, state, message_id, error, answer, updated_at FROM keys WHERE key = ?", key
        )
        return Entry(*rows[0]) if rows else None

    def body(self, entry: Entry) -> dict[str, Any]:
        """A key's state as the contract tells it."""
        return {
            "state": entry.state,
            "message_id": entry.message_id,
            "error": entry.error,
            "updated_at": iso(entry.updated_at),
            "ledger_since": iso(self.since),
        }

    def reserve(self, attempt: Attempt, fingerprint: str, now: float) -> None:
        """Write the key down; one that an earlier process left *reserved* stays as it is."""
        self._store.write(
            "INSERT INTO keys (key, session, person, fingerprint, state, created_at, updated_at)"
            " VALUES (?, ?, ?, ?, 'reserved', ?, ?) ON CONFLICT (key) DO NOTHING",
            attempt.key,
            attempt.session,
            attempt.person,
            fingerprint,
            now,
            now,
        )

    def dispatch(self, key: str, message_id: str, now: float) -> bool:
        """Say that it may go out from now on; False if the key was closed meanwhile."""
        return self._moved(
            "UPDATE keys SET state = 'dispatching', message_id = ?, updated_at = ?"
            " WHERE key = ? AND state = 'reserved'",
            message_id,
            now,
            key,
        )

    def fail(self, key: str, answer: Answer, now: float) -> bool:
        """Known not sent, for ever: the look-up of this key is a proof. False if the key was closed meanwhile."""
        return self._moved(
            "UPDATE keys SET state = 'failed', error = ?, answer = ?, updated_at = ?"
            " WHERE key = ? AND state = 'reserved'",
            answer.body["error"],
            json.dumps(answer),
            now,
            key,
        )

    def forget(self, key: str) -> bool:
        """The device could not send, so nothing was tried: the key is free. False if it was closed meanwhile."""
        return self._moved("DELETE FROM keys WHERE key = ? AND state = 'reserved'", key)

    def _moved(self, sql: str, *values: object) -> bool:
        return self._store.write(sql, *values).rowcount == 1

    def hand_over(self, attempt: Attempt, started_at: float, now: float) -> int:
        """The person gets it; returns the number of the hand-over. It lasts until ``over`` says otherwise."""
        cursor = self._store.write(
            "INSERT INTO handovers (key, session, person, text, kind, started_at, ended_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            attempt.key,
            attempt.session,
            attempt.person,
            attempt.text,
            attempt.kind,
            started_at,
            now,
        )
        return cursor.lastrowid or 0

    def over(self, handover: int, now: float) -> None:
        self._store.write("UPDATE handovers SET ended_at = ? WHERE id = ?", now, handover)

    def sent(self, key: str, answer: Answer, now: float) -> None:
        self._store.write(
            "UPDATE keys SET state = 'sent', answer = ?, updated_at = ? WHERE key = ? AND state = 'dispatching'",
            json.dumps(answer),
            now,
            key,
        )

    def close(self, session: str, key: str, now: float) -> Entry:
        """Close a key for ever, also one never seen; *sent* and *dispatching* stay. Returns what it is now: of one that was
        closed before, as of now, so that the ledger's age at this question can be told."""
        self._store.write(
            "INSERT INTO keys (key, session, state, created_at, updated_at) VALUES (?, ?, 'closed', ?, ?)"
            " ON CONFLICT (key) DO UPDATE SET state = 'closed', updated_at = excluded.updated_at"
            " WHERE state IN ('reserved', 'failed', 'closed')",
            key,
            session,
            now,
            now,
        )
        entry = self.find(key)
        if entry is None:
            raise LookupError(key)
        return entry

    def count_try(self, person: str) -> int:
        """How many times this person was tried, this time included."""
        cursor = self._store.write(
            "INSERT INTO tries VALUES (?, 1) ON CONFLICT (person) DO UPDATE SET times = times + 1 RETURNING times",
            person,
        )
        times: int = cursor.fetchall()[0][0]
        return times

    def forget_old(self, now: float) -> None:
        """Keys and hand-overs are kept 30 days."""
        self._store.write("DELETE FROM keys WHERE updated_at < ?", now - KEPT_S)
        self._store.write("DELETE FROM handovers WHERE ended_at < ?", now - KEPT_S)

    async def people(self, to: str | None) -> dict[str, Any]:
        """Who received what, by address; ``total`` counts the hand-overs listed."""
        rows = await self._store.report(
            "SELECT person, key, session, text, kind, started_at, ended_at FROM handovers"
            " WHERE ?1 IS NULL OR person = ?1 ORDER BY person, id",
            to.partition("@")[0] if to else None,
        )
        people = []
        for person, group in groupby(rows, key=lambda row: row[0]):
            deliveries = [_delivery(row[1:]) for row in group]
            people.append({"to": f"{person}@s.whatsapp.net", "times": len(deliveries), "deliveries": deliveries})
        return {"people": people, "total": len(rows)}

    async def overlaps(self) -> list[list[dict[str, Any]]]:
        """Pairs of sends of one session that were under way at the same time: mistakes of the sender."""
        rows = await self._store.report(
            "SELECT key, session, text, kind, started_at, ended_at FROM handovers ORDER BY session, started_at, id"
        )
        pairs = []
        under_way: list[Any] = []
        for row in rows:
            under_way = [earlier for earlier in under_way if earlier[1] == row[1] and earlier[5] > row[4]]
            pairs += [[_delivery(earlier), _delivery(row)] for earlier in under_way]
            under_way.append(row)
        return pairs

    def last_messages(self) -> dict[str, float]:
        """When each session last handed something over."""
        return dict(self._store.read("SELECT session, max(ended_at) FROM handovers GROUP BY session"))


def _delivery(row: tuple[Any, ...]) -> dict[str, Any]:
    key, session, text, kind, started_at, ended_at = row
    times = {"started_at": iso(started_at), "ended_at": iso(ended_at)}
    return {"key": key, "session": session, "text": text, "kind": kind} | times
