"""What the fake Graph knows: numbers, templates, files, and everything that it was sent."""

from __future__ import annotations

import re
import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from graph_behaviours import Behaviour, by_ending, read

_ids = count(1)


@dataclass
class Number:
    """A number of ours at Meta. ``id`` is its phone number id, ``phone`` its digits; the words are Meta's."""

    id: str
    business_id: str
    token: str = field(repr=False)
    phone: str
    status: str = "CONNECTED"
    quality_rating: str = "GREEN"
    messaging_limit: str = "TIER_1K"
    verified_name: str = "Tests Ltd"


@dataclass(frozen=True)
class Received:
    """One request for a message. ``at`` is time.monotonic() of the machine, when it was there whole; ``wamid`` is None
    when it was not taken, and ``error`` Meta's code when it was refused."""

    at: float
    number_id: str
    to: str
    key: str | None
    payload: dict[str, Any]
    wamid: str | None
    error: int | None


@dataclass(frozen=True)
class Upload:
    """A file that a number has uploaded; ``content`` is all of it."""

    id: str
    number_id: str
    mimetype: str
    filename: str
    content: bytes = field(repr=False)


def digits(to: str) -> str:
    """A number, a WhatsApp address or E.164 as Meta's ``wa_id``."""
    return re.sub(r"\D", "", to.partition("@")[0])


class World:
    """Shared by the server's thread and the test's: each method is one step."""

    def __init__(self) -> None:
        self.numbers: dict[str, Number] = {}
        self.templates: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.uploads: dict[str, Upload] = {}
        self.subscribed: list[str] = []
        self.received: list[Received] = []
        self.by_person: dict[str, list[Received]] = defaultdict(list)
        self.last_inbound: dict[tuple[str, str], float] = {}
        self.pair_gap_s: float | None = None
        self.per_second: int | None = None
        self.window: str | None = None
        self.troubles: dict[str, Behaviour] = {}
        self._set: dict[str, deque[Behaviour]] = {}
        self._taken_at: dict[str, deque[float]] = defaultdict(deque)
        self._pair_at: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def add_number(
        self, business_id: str | None, phone: str | None, token: str | None, words: dict[str, str]
    ) -> Number:
        place = next(_ids)
        number = Number(
            f"1055{place:011}",
            business_id or f"2044{place:011}",
            token or f"EAAG-token-of-the-tests-{place}",
            phone or f"9723{place:08}",
            **words,
        )
        self.numbers[number.id] = number
        return number

    def behave(self, to: str, written: tuple[str, ...]) -> None:
        """Treat a person so: one behaviour a message, and the last one from then on."""
        with self._lock:
            self._set[digits(to)] = deque(read(each) for each in written)

    def behaviour(self, number_id: str, to: str) -> Behaviour:
        with self._lock:
            if number_id in self.troubles:
                return self.troubles[number_id]
            steps = self._set.get(to)
            if not steps:
                return by_ending(to)
            return steps.popleft() if len(steps) > 1 else steps[0]

    def too_fast(self, number_id: str, to: str) -> int | None:
        """Meta's code when a limit that is switched on forbids one more now; otherwise it is counted."""
        now = time.monotonic()
        with self._lock:
            taken = self._taken_at[number_id]
            while taken and taken[0] <= now - 1:
                taken.popleft()
            if self.per_second is not None and len(taken) >= self.per_second:
                return 130429
            if self.pair_gap_s is not None and now - self._pair_at.get((number_id, to), -1e9) < self.pair_gap_s:
                return 131056
            taken.append(now)
            self._pair_at[number_id, to] = now
            return None

    def note(self, received: Received) -> None:
        with self._lock:
            self.received.append(received)
            self.by_person[received.to].append(received)

    def open_window(self, number_id: str, sender: str) -> None:
        self.last_inbound[number_id, sender] = time.time()

    def is_open(self, number_id: str, to: str) -> bool:
        """Whether this person has written to this number within 24 hours."""
        return time.time() - self.last_inbound.get((number_id, to), 0) < 24 * 3600

    def new_id(self, kind: str) -> str:
        return f"{kind}{next(_ids):015}"
