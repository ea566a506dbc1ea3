"""The fake Graph's webhooks on their way: signed, in batches, posted again until they are answered with 2xx.

At least once and in no order, as Meta posts them.
"""

from __future__ import annotations

import heapq
import json
import random
import threading
import time
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple

import graph_payloads
import urllib3

POSTERS = 4
POST_LIMIT_S = 10.0
FIRST_WAIT_S, LONGEST_WAIT_S = 0.1, 1.0


class Due(NamedTuple):
    """A change that waits; times are time.monotonic()."""

    at: float
    order: int
    tries: int
    business_id: str
    change: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Post:
    """One post and its answer: ``status`` is 0 when there was none."""

    at: float
    took_s: float
    status: int
    body: bytes


class Webhooks:
    """``batch``: the most changes in one post. ``repeats``: how often each post is made besides the first. ``disorder_s``:
    changes are held up by a random time up to this. All may be set while it runs."""

    def __init__(self, url: str | None, app_secret: str) -> None:
        self.url = url
        self.app_secret = app_secret
        self.batch = 20
        self.repeats = 0
        self.disorder_s = 0.0
        self.posts: list[Post] = []
        self._paused = False
        self._closed = False
        self._due: list[Due] = []
        self._under_way = 0
        self._order = count()
        self._changed = threading.Condition()
        self._http = urllib3.PoolManager(maxsize=POSTERS, retries=False, timeout=POST_LIMIT_S)
        self._threads = [threading.Thread(target=self._run, name="webhooks", daemon=True) for _ in range(POSTERS)]
        for thread in self._threads:
            thread.start()

    def put(self, business_id: str, change: dict[str, Any], after_s: float = 0.0) -> None:
        """Post a change in ``after_s`` seconds."""
        held_up_s = random.uniform(0, self.disorder_s) if self.disorder_s else 0.0
        self._push(Due(time.monotonic() + after_s + held_up_s, next(self._order), 0, business_id, change))

    def pause(self) -> None:
        """Keep everything from now on; what is being posted is finished."""
        with self._changed:
            self._paused = True

    def resume(self) -> None:
        with self._changed:
            self._paused = False
            self._changed.notify_all()

    @property
    def waiting(self) -> int:
        """Changes that are not accepted yet."""
        with self._changed:
            return len(self._due) + self._under_way

    def close(self) -> None:
        """Stop; what was not accepted is dropped."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        self._http.clear()

    def _push(self, *due: Due) -> None:
        with self._changed:
            for each in due:
                heapq.heappush(self._due, each)
            self._changed.notify()

    def _run(self) -> None:
        while batch := self._next():
            try:
                accepted = self._post(batch)
            finally:
                with self._changed:
                    self._under_way -= len(batch)
            if not accepted:
                now = time.monotonic()
                self._push(
                    *(
                        each._replace(
                            at=now + min(FIRST_WAIT_S * 2**each.tries, LONGEST_WAIT_S), tries=min(each.tries + 1, 16)
                        )
                        for each in batch
                    )
                )

    def _next(self) -> list[Due]:
        """What is to be posted together, as soon as something is due; empty at the end."""
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                ready = bool(self._due) and not self._paused and self.url is not None
                if ready and self._due[0].at <= now:
                    batch = []
                    while self._due and self._due[0].at <= now and len(batch) < self.batch:
                        batch.append(heapq.heappop(self._due))
                    self._under_way += len(batch)
                    return batch
                self._changed.wait(self._due[0].at - now if ready else None)
            return []

    def _post(self, batch: list[Due]) -> bool:
        if self.disorder_s:
            random.shuffle(batch)
        body = json.dumps(graph_payloads.post([(each.business_id, each.change) for each in batch])).encode()
        answers = [self.post_raw(body) for _ in range(1 + self.repeats)]
        return any(200 <= answer < 300 for answer in answers)

    def post_raw(self, body: bytes, signature: str | None = None) -> int:
        """Post these bytes once, signed with the app's secret unless a signature is given; the HTTP status, 0 for none."""
        headers = {
            "Content-Type": "application/json",
            "X-Hub-Signature-256": signature or graph_payloads.sign(body, self.app_secret),
        }
        began = time.monotonic()
        try:
            status = self._http.request("POST", str(self.url), body=body, headers=headers, redirect=False).status
        except urllib3.exceptions.HTTPError:
            status = 0
        self.posts.append(Post(began, time.monotonic() - began, status, body))
        return status
