"""Events on their way to EVENTS_URL: written in the commit of the thing they tell of, posted until 2xx.

At least once, in no order: the receiver removes repeats by ``event_id``.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import urllib3

from bridge.simulator.contract import iso
from bridge.simulator.store import Store

log = logging.getLogger(__name__)

THREADS = 4
BATCH = 16  # events that a thread takes at a time
IN_HAND = 32 * BATCH  # events out of the file at a time, however many wait in it: each look reads this many again
LOOK_EVERY_S = 0.05
POST_LIMIT_S = 3.0
FIRST_WAIT_S, LONGEST_WAIT_S = 0.25, 15.0


class Waiting(NamedTuple):
    """An event in the outbox: its row, how often it was posted in vain, and the JSON to post."""

    id: int
    tries: int
    body: str


class Outbox:
    """Keeps nothing when there is no one to post to."""

    def __init__(self, store: Store, url: str | None, secret: str) -> None:
        self._store = store
        self._url = url
        self._secret = secret.encode()
        self._in_hand: set[int] = set()
        self._posting: set[asyncio.Task[None]] = set()
        self._reached = True
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="events")
        self._http = urllib3.PoolManager(maxsize=THREADS, retries=False, timeout=POST_LIMIT_S)

    def put(self, event_id: str, session: str, kind: str, due_at: float, data: dict[str, Any]) -> None:
        """Write an event down, to be posted from ``due_at`` (Unix time) on; kind: receipt, inbound or connection."""
        if self._url is None:
            return
        event = {"event_id": event_id, "session": session, "type": kind, "at": iso(due_at), "data": data}
        self._store.write("INSERT INTO outbox (due_at, body) VALUES (?, ?)", due_at, json.dumps(event))

    async def run(self) -> None:
        """Post what is due, for ever."""
        while self._url is not None:
            await self._store.committed()
            rows = self._store.read(
                "SELECT id, tries, body FROM outbox WHERE due_at <= ? ORDER BY due_at LIMIT ?",
                time.time(),
                IN_HAND,
            )
            due = [Waiting(*row) for row in rows if row[0] not in self._in_hand]
            for first in range(0, len(due), BATCH):
                events = due[first : first + BATCH]
                self._in_hand.update(event.id for event in events)
                task = asyncio.create_task(self._post(events))
                self._posting.add(task)
                task.add_done_callback(self._posting.discard)
            await asyncio.sleep(LOOK_EVERY_S)

    async def _post(self, events: list[Waiting]) -> None:
        accepted, trouble = await asyncio.get_running_loop().run_in_executor(self._pool, self._post_all, events)
        self._tell(trouble)
        for event in events:
            self._in_hand.discard(event.id)
            if event.id in accepted:
                self._store.write("DELETE FROM outbox WHERE id = ?", event.id)
            else:
                again_at = time.time() + min(FIRST_WAIT_S * 2**event.tries, LONGEST_WAIT_S)
                self._store.write(
                    "UPDATE outbox SET tries = ?, due_at = ? WHERE id = ?", min(event.tries + 1, 16), again_at, event.id
                )

    def _post_all(self, events: list[Waiting]) -> tuple[set[int], str | None]:
        """In a thread: the ids that were accepted, and what was wrong with the last of the others."""
        accepted: set[int] = set()
        trouble = None
        for event in events:
            body = event.body.encode()
            signature = "sha256=" + hmac.digest(self._secret, body, "sha256").hex()
            headers = {"Content-Type": "application/json", "X-Signature": signature}
            try:
                response = self._http.request("POST", self._url or "", body=body, headers=headers, redirect=False)
            except urllib3.exceptions.HTTPError as error:
                # Nobody there: the rest of the batch would only wait for the same.
                return accepted, type(error).__name__
            if 200 <= response.status < 300:
                accepted.add(event.id)
            else:
                trouble = f"HTTP {response.status}"
        return accepted, trouble

    def _tell(self, trouble: str | None) -> None:
        """Log when the receiver goes away and when it is back, not every failure between."""
        if trouble and self._reached:
            log.warning("[EVENTS] the receiver does not accept events (%s); they are kept and posted again", trouble)
        elif not trouble and not self._reached:
            log.info("[EVENTS] the receiver accepts events again")
        self._reached = not trouble

    def close(self) -> None:
        """Stop posting; what is not accepted yet stays in the file for the next start."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._http.clear()
