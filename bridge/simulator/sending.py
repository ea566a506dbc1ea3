"""One send, from the request to the answer: reserve, dispatch, hand over, and what a behaviour does in between."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import failpoints
from bridge.simulator.behaviours import NORMAL, Behaviour, draw, message_id, of_person
from bridge.simulator.contract import BROKEN_AFTER, DEVICE_PROBLEMS, Answer, Attempt, refuse
from bridge.simulator.ledger import Entry, Ledger
from bridge.simulator.outbox import Outbox
from bridge.simulator.sessions import Session, Sessions
from bridge.simulator.store import Store

REPLY_AFTER_S = 1.5
RECEIPT_LEAD_S = 0.5  # how long a receipt that comes first is ahead of the answer

KEY_CLOSED = Answer(409, {"error": "key_closed"})
KEY_CONFLICT = Answer(409, {"error": "key_conflict"})
IN_FLIGHT = Answer(409, {"error": "in_flight"})


class Sender:
    """Sends for all sessions. Two sends at once on one session are let through: the ledger shows them as an overlap."""

    def __init__(
        self, *, store: Store, ledger: Ledger, sessions: Sessions, outbox: Outbox, latency_s: float, receipts: bool
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._sessions = sessions
        self._outbox = outbox
        self._latency_s = latency_s
        self._receipts = receipts
        self._in_flight: set[str] = set()

    async def send(
        self, session: Session, attempt: Attempt, rule: Behaviour | None, client_gone: Callable[[], Awaitable[None]]
    ) -> Answer | None:
        """Answer one POST of a message; None means that the client gets no answer at all.

        ``rule`` is the behaviour set for this session and key, if any; otherwise the person's number decides.
        """
        fingerprint = attempt.fingerprint
        entry = self._ledger.find(attempt.key)
        known = self._known(attempt.key, fingerprint, entry) if entry else None
        if known is None and (problem := session.problem()):
            known = refuse(problem)
        if known is not None:
            await self._store.committed()
            return known
        started_at = time.time()
        self._ledger.reserve(attempt, fingerprint, started_at)
        self._in_flight.add(attempt.key)
        session.active_sends += 1
        try:
            return await self._send(session, attempt, rule, started_at, client_gone)
        finally:
            self._in_flight.discard(attempt.key)
            session.active_sends -= 1
            session.idle_since = time.time()

    def _known(self, key: str, fingerprint: str, entry: Entry) -> Answer | None:
        """What a key that is in the ledger already answers; None for one that was only reserved: it may be sent."""
        if entry.state == "closed":
            return KEY_CLOSED
        if entry.fingerprint != fingerprint:
            return KEY_CONFLICT
        if key in self._in_flight:
            return IN_FLIGHT
        if entry.state == "sent":
            first = entry.first_answer()
            return Answer(first.status, first.body | {"duplicate": True})
        if entry.state == "failed":
            return entry.first_answer()
        return refuse("send_timeout") if entry.state == "dispatching" else None

    async def _send(
        self,
        session: Session,
        attempt: Attempt,
        rule: Behaviour | None,
        started_at: float,
        client_gone: Callable[[], Awaitable[None]],
    ) -> Answer | None:
        if fault := attempt.fault():
            return await self._refused(session, attempt.key, fault)
        behaviour = rule or self._of_person(attempt.person)
        if behaviour.twist == "never_answer":
            await client_gone()
            return None
        deadline = started_at + attempt.deadline_s
        # Half of the latency before dispatching and half after: a close, or a crash, can find it in either state.
        in_time = await _pause(self._latency_s / 2, deadline)
        if behaviour.problem:
            return await self._refused(session, attempt.key, behaviour.problem, behaviour.fate)
        failpoints.hit("bridge_reserved", attempt.key)
        wa_id = message_id(attempt.key)
        dispatched = self._ledger.dispatch(attempt.key, wa_id, time.time())
        await self._store.committed()
        if not dispatched:
            return KEY_CLOSED
        failpoints.hit("bridge_dispatching", attempt.key)
        rest_s = attempt.deadline_s / 2 if behaviour.twist == "dawdle" else self._latency_s / 2
        if not (in_time and await _pause(rest_s, deadline)):
            return refuse("send_timeout")
        handover = self._hand_over(attempt, behaviour, wa_id, started_at)
        await self._store.committed()
        failpoints.hit("bridge_handed_over", attempt.key)
        if behaviour.twist == "time_out":
            await _pause(attempt.deadline_s, deadline)
        elif behaviour.twist == "receipt_first":
            await asyncio.sleep(RECEIPT_LEAD_S)
        answer = self._end(session, attempt.key, behaviour, started_at, handover)
        await self._store.committed()
        failpoints.hit("bridge_sent", attempt.key)
        return None if behaviour.twist == "hang_up" else answer

    def _of_person(self, person: str) -> Behaviour:
        """What the number asks for at this try."""
        behaviour = of_person(person)
        if behaviour.first is not None and self._ledger.count_try(person) > behaviour.first:
            return NORMAL
        return behaviour

    async def _refused(self, session: Session, key: str, problem: str, fate: str | None = None) -> Answer:
        """Answer an error before anything was handed over.

        A problem of the message is final for its key. A problem of the device is none of the key's: it is free again, and
        ``fate``, or else the problem, befalls the session.
        """
        if problem in DEVICE_PROBLEMS:
            answer = refuse(problem)
            moved = self._ledger.forget(key)
            self._sessions.suffer(session, fate or problem)
        else:
            answer = refuse(problem, retry_after_s=1) if problem == "throttled" else refuse(problem)
            moved = self._ledger.fail(key, answer, time.time())
        await self._store.committed()
        return answer if moved else KEY_CLOSED

    def _hand_over(self, attempt: Attempt, behaviour: Behaviour, wa_id: str, started_at: float) -> int:
        """The person gets the message; their receipts and reply are written in the same commit."""
        now = time.time()
        handover = self._ledger.hand_over(attempt, started_at, now)
        if self._receipts:
            jitter = 0.75 + draw(attempt.key) / 2
            for status, after_s in behaviour.receipts:
                data = {
                    "message_id": wa_id,
                    "key": attempt.key,
                    "status": status,
                    "error": "provider_error" if status == "failed" else None,
                }
                # A receipt posted twice is the same event: same id.
                self._outbox.put(f"{wa_id}-{status}", attempt.session, "receipt", now + after_s * jitter, data)
        if behaviour.reply:
            reply = {
                "message_id": message_id(f"reply {attempt.key}"),
                "from": attempt.to,
                "name": f"Person {attempt.person[-4:]}",
                "kind": "text",
                "text": behaviour.reply,
                "media": None,
            }
            self._outbox.put(f"{wa_id}-reply", attempt.session, "inbound", now + REPLY_AFTER_S, reply)
        return handover

    def _end(self, session: Session, key: str, behaviour: Behaviour, started_at: float, handover: int) -> Answer:
        """Write down how a send that was handed over ended."""
        now = time.time()
        self._ledger.over(handover, now)
        session.last_message_at = now
        if behaviour.twist == "time_out":
            return refuse("send_timeout")
        if behaviour.twist == "break":
            return BROKEN_AFTER
        body = {
            "status": "sent",
            "key": key,
            "message_id": message_id(key),
            "duplicate": False,
            "duration_ms": round((now - started_at) * 1000),
        }
        answer = Answer(200, body)
        self._ledger.sent(key, answer, now)
        return answer


async def _pause(seconds: float, deadline: float) -> bool:
    """Let time pass, but not past the deadline (Unix time); False if the deadline cut it short."""
    left = deadline - time.time()
    if (pause := min(seconds, left)) > 0:
        await asyncio.sleep(pause)
    return seconds < left
