"""Figures as the database last told them, shared by all sessions of the process.

Of sessions that ask at the same time one reads and the others get the same answer. When the database does not answer, what
it told last stays, with its age: a figure is old or unknown, and never a false 0.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar
from zoneinfo import ZoneInfo

import streamlit as st
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from console import shown
from console.words import _
from console.world import world
from db.engine import run
from services import workspaces
from services.workspaces import Workspace

Value = TypeVar("Value")
More = ParamSpec("More")

KEPT = 512  # answers; the one that was asked for longest ago goes first
PATIENCE_S = 1.0
SLOWEST_S = 10  # a read that takes longer is given up, so that a page says so instead of standing still
BEHIND_S = (
    10.0  # older than this beyond its time, an answer is not given in the place of the one that is being asked for
)
REST_S = 2.0  # after a failure the database is left alone for so long: thirty pages must not queue up at it


@dataclass(frozen=True, slots=True)
class Seen(Generic[Value]):
    """What a read told. ``known`` False: it never told anything, and ``value`` means nothing. ``stale``: the database
    does not answer now, and ``value`` is of ``age_s`` seconds ago."""

    value: Value
    known: bool
    stale: bool
    at: datetime
    age_s: float


@dataclass
class _Answer:
    lock: threading.Lock = field(default_factory=threading.Lock)
    value: Any = None
    known: bool = False
    read_at: float = 0.0
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    tried_at: float = 0.0
    failed: bool = False
    generation: int = -1


class Answers:
    """The answers of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: OrderedDict[Hashable, _Answer] = OrderedDict()
        self._generation = 0
        self._away_at = -math.inf  # when the database was last found away, by whatever was asked

    def get(self, key: Hashable, fresh_s: float, ask: Callable[[], Any]) -> Seen[Any]:
        """The answer under ``key``, asked for again when it is older than ``fresh_s`` seconds."""
        answer = self._of(key)
        current = answer.known and answer.generation == self._generation
        current = current and time.monotonic() - answer.read_at < fresh_s + BEHIND_S
        # While somebody asks, the others have the answer before it; not when it is of before a change of their own, nor when
        # nobody has asked for so long that it would pass for one of now.
        if answer.lock.acquire(blocking=not current):
            try:
                now = time.monotonic()
                current = answer.known and answer.generation == self._generation
                fresh = current and now - answer.read_at < fresh_s
                if answer.failed or not fresh:
                    if now - max(self._away_at, answer.tried_at if answer.failed else -math.inf) >= REST_S:
                        self._ask(answer, ask)
                    else:
                        # A page that asks for ten things finds once that the database is away, not ten times.
                        answer.failed = True
            finally:
                answer.lock.release()
        return Seen(answer.value, answer.known, answer.failed, answer.at, max(0.0, time.monotonic() - answer.read_at))

    def expire(self) -> None:
        """Something was changed: every answer is asked for again, and stays until then."""
        with self._lock:
            self._generation += 1

    def _of(self, key: Hashable) -> _Answer:
        with self._lock:
            answer = self._all.setdefault(key, _Answer())
            self._all.move_to_end(key)
            if len(self._all) > KEPT:
                self._all.popitem(last=False)
            return answer

    def _ask(self, answer: _Answer, ask: Callable[[], Any]) -> None:
        generation = self._generation
        try:
            answer.value = ask()
        except SQLAlchemyError as error:
            answer.failed, answer.tried_at = True, time.monotonic()
            if isinstance(error, OperationalError) and not getattr(error.orig, "pgcode", None):
                self._away_at = answer.tried_at
        else:
            answer.known, answer.failed, answer.generation = True, False, generation
            answer.read_at, answer.at = time.monotonic(), datetime.now(UTC)


@st.cache_resource
def _answers() -> Answers:
    return Answers()


def read(
    query: Callable[Concatenate[Connection, int, More], Value], *args: More.args, **kwargs: More.kwargs
) -> Seen[Value]:
    """What ``query(db, workspace_id, *args)`` tells, at most two seconds old."""
    return read_within(2.0, query, *args, **kwargs)


def read_within(
    fresh_s: float,
    query: Callable[Concatenate[Connection, int, More], Value],
    *args: More.args,
    **kwargs: More.kwargs,
) -> Seen[Value]:
    """The same, at most ``fresh_s`` seconds old. Arguments must be hashable: they and the query are the answer's name."""

    def work(db: Connection) -> Value:
        db.execute(text(f"SET LOCAL statement_timeout = '{SLOWEST_S}s'"))
        return query(db, here(db).id, *args, **kwargs)

    def ask() -> Value:
        # It starts a thread, to appear only after half a second: a third of the console's time when each answer that is
        # there already had one.
        with st.spinner(_("Reading…")):
            return run(world().engine, work, patience_s=PATIENCE_S)

    key = (query.__module__, query.__qualname__, args, tuple(sorted(kwargs.items())))
    return _answers().get(key, fresh_s, ask)


def expire() -> None:
    """Something was changed: whoever looks sees it at once."""
    _answers().expire()


def here(db: Connection) -> Workspace:
    """The workspace of this console."""
    settings = world().settings
    return workspaces.first(db, default_country=settings.default_country, time_zone=settings.time_zone)


def workspace() -> Seen[Workspace]:
    """The workspace, with its time zone and whether all sending is stopped."""
    return read(_workspace)


def _workspace(db: Connection, _workspace_id: int) -> Workspace:
    return here(db)


def zone() -> str:
    """The workspace's time zone; the setting's while the workspace cannot be read."""
    seen = workspace()
    return seen.value.time_zone if seen.known else world().settings.time_zone


@contextmanager
def frame(*seen: Seen[Any], name: str) -> Iterator[bool]:
    """Draw inside what was read: dimmed and with its age when it is stale; False, with the reason drawn, when one of them
    was never read, and then nothing may be drawn. ``name`` is unique on the page."""
    if not all(one.known for one in seen):
        st.error(_("The database does not answer, so there are no numbers yet. This page tries again by itself."))
        yield False
        return
    oldest = max(seen, key=lambda one: (one.stale, one.age_s))
    if oldest.stale:
        st.warning(
            _(
                "Numbers are from {time}, {ago}; the database does not answer.",
                time=shown.clock(oldest.at, zone()),
                ago=shown.ago(oldest.age_s),
            ),
            icon=":material/cloud_off:",
        )
    with st.container(key=f"{'stale' if oldest.stale else 'live'}-{name}"):
        yield True


def updated(*seen: Seen[Any]) -> None:
    """When what is shown was read, in small print; nothing when it is stale, which its frame says."""
    oldest = max(seen, key=lambda one: one.age_s)
    if oldest.known and not oldest.stale:
        at = oldest.at.astimezone(ZoneInfo(zone()))
        st.caption(_("Updated {time}", time=shown.isolated(f"{at:%H:%M:%S}")))
