"""Figures that are shared, kept, and never a false 0."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.exc import OperationalError

from console import reading
from console.reading import Answers


class TooSlowError(Exception):
    """What Postgres says of a statement that it gave up."""

    pgcode = "57014"


AWAY = OperationalError("SELECT 1", {}, Exception("away"))


def test_an_answer_is_asked_for_again_when_it_is_old_and_after_a_change() -> None:
    answers, told = Answers(), iter(range(10))

    def ask() -> int:
        return next(told)

    assert [answers.get("k", 60, ask).value for _ in range(3)] == [0, 0, 0]
    assert answers.get("k", 0, ask).value == 1
    answers.expire()
    assert answers.get("k", 60, ask).value == 2
    assert answers.get("other", 60, ask).value == 3


def test_what_was_told_last_stays_and_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "REST_S", 0.0)
    answers = Answers()

    def away() -> int:
        raise AWAY

    never = answers.get("k", 0, away)
    assert (never.known, never.stale) == (False, True)
    first = answers.get("k", 0, lambda: 7)
    assert (first.value, first.known, first.stale) == (7, True, False)
    kept = answers.get("k", 0, away)
    assert (kept.value, kept.known, kept.stale, kept.at) == (7, True, True, first.at)
    assert answers.get("k", 60, lambda: 8).value == 8  # the next answer ends it, however fresh the last one was


def test_a_database_that_does_not_answer_is_left_alone_for_a_while() -> None:
    answers, asked = Answers(), []

    def away() -> int:
        asked.append(1)
        raise AWAY

    for _ in range(30):
        answers.get("k", 0, away)
    assert len(asked) == 1


def test_a_page_that_asks_for_much_finds_once_that_the_database_is_away() -> None:
    answers, asked = Answers(), []
    answers.get("known", 0, lambda: 7)

    def away() -> int:
        asked.append(1)
        raise AWAY

    def too_slow() -> int:
        raise OperationalError("SELECT 1", {}, TooSlowError())

    assert answers.get("slow", 0, too_slow).stale
    assert not answers.get("known", 0, lambda: 7).stale  # what is slow says nothing about the others
    seen = [answers.get(key, 0, away) for key in ("first", "second", "known")]
    assert len(asked) == 1
    assert [(each.known, each.stale) for each in seen] == [(False, True), (False, True), (True, True)]
    assert answers.get("known", 60, away).value == 7


def test_of_many_at_once_one_asks_and_the_others_have_the_answer_before_it() -> None:
    answers, asking, done = Answers(), threading.Event(), threading.Event()
    answers.get("k", 0, lambda: "before")

    def slow() -> str:
        asking.set()
        assert done.wait(10)
        return "after"

    with ThreadPoolExecutor(2) as threads:
        slowest = threads.submit(answers.get, "k", 0, slow)
        assert asking.wait(10)
        assert answers.get("k", 0, lambda: "nobody asks this").value == "before"
        done.set()
        assert slowest.result().value == "after"


def test_an_answer_of_long_ago_does_not_pass_for_one_of_now_while_somebody_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers, asking, waits, done = Answers(), threading.Event(), threading.Event(), threading.Event()
    answers.get("k", 0, lambda: "long ago")
    lock = threading.Lock()

    class Watched:
        def acquire(self, *, blocking: bool) -> bool:
            if asking.is_set() and blocking:
                waits.set()
            return lock.acquire(blocking=blocking)

        def release(self) -> None:
            lock.release()

    answers._all["k"].lock = Watched()  # type: ignore[assignment]
    later = time.monotonic() + 600
    monkeypatch.setattr("console.reading.time.monotonic", lambda: later)

    def slow() -> str:
        asking.set()
        assert done.wait(10)
        return "now"

    with ThreadPoolExecutor(2) as threads:
        slowest = threads.submit(answers.get, "k", 1, slow)
        assert asking.wait(10)
        waiting = threads.submit(answers.get, "k", 1, lambda: "nobody asks this")
        assert waits.wait(10)
        done.set()
        assert [slowest.result().value, waiting.result().value] == ["now", "now"]


def test_only_so_many_answers_are_kept() -> None:
    answers = Answers()
    for number in range(reading.KEPT + 10):
        answers.get(number, 60, lambda: 1)
    assert len(answers._all) == reading.KEPT
