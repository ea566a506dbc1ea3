"""One press, one effect: whether it is clicked twice, cut in half, or pressed again after an answer was lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from opening import Opened
from people import workspace
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError
from streamlit.runtime.scriptrunner import StopException
from streamlit.testing.v1 import AppTest

from console import gate, writing
from db import engine as database

PAGE = """
import streamlit as st
from console import gate, writing
from services import audit

st.session_state.setdefault("visitor", gate.Visitor("dana", 1e12, ""))
for name in ("pause", "resume"):
    if st.button(name):
        writing.once(name, lambda db, here: {"id": audit.write(db, here, "dana", name, "a test")})
if st.button("undo pause"):
    writing.once("undo", lambda db, here: {"id": audit.write(db, here, "dana", "undo", "a test")}, undoes="pause")
"""


@pytest.fixture
def app(console: Callable[..., Opened], engine: Engine) -> AppTest:
    with engine.begin() as db:
        workspace(db)
    return AppTest.from_string(PAGE).run()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time by which presses are told apart, in seconds."""
    now = [1000.0]
    monkeypatch.setattr(writing, "monotonic", lambda: now[0])
    return now


def press(app: AppTest, name: str) -> None:
    next(button for button in app.button if button.label == name).click().run()


def written(engine: Engine) -> list[str]:
    with engine.begin() as db:
        return list(db.execute(text("SELECT action FROM audit ORDER BY id")).scalars())


def test_the_second_click_of_a_double_click_is_the_first(app: AppTest, clock: list[float], engine: Engine) -> None:
    press(app, "pause")
    clock[0] += writing.DOUBLE_CLICK_S / 2
    press(app, "pause")
    assert written(engine) == ["pause"]
    clock[0] += writing.DOUBLE_CLICK_S
    press(app, "pause")
    assert written(engine) == ["pause", "pause"]


def test_another_press_in_between_ends_it(app: AppTest, clock: list[float], engine: Engine) -> None:
    for name in ("pause", "resume", "pause"):
        press(app, name)
    assert written(engine) == ["pause", "resume", "pause"]


def test_a_press_that_was_cut_after_its_commit_does_not_swallow_the_next(
    app: AppTest, clock: list[float], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut() -> None:
        raise StopException

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("console.reading.expire", cut)
        meanwhile.setattr("streamlit.runtime.state.session_state_proxy.SessionStateProxy.__delitem__", lambda *_: cut())
        press(app, "pause")
    app.run()
    clock[0] += writing.DOUBLE_CLICK_S
    press(app, "pause")
    assert written(engine) == ["pause", "pause"]


def test_a_press_whose_answer_was_lost_is_repeated_without_effect_for_a_while(
    app: AppTest, clock: list[float], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = database.run

    def lost(*args: object, **more: object) -> None:
        real(*args, **more)  # type: ignore[arg-type]
        raise OperationalError("COMMIT", {}, Exception("server closed the connection"))

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(database, "run", lost)
        press(app, "pause")
    assert "The database does not answer" in app.error[0].value
    clock[0] += writing.AGAIN_S / 2
    press(app, "pause")
    assert written(engine) == ["pause"]
    clock[0] += writing.AGAIN_S
    press(app, "pause")
    assert written(engine) == ["pause", "pause"]


def test_the_second_half_of_a_double_click_does_not_undo_the_first(
    app: AppTest, clock: list[float], engine: Engine
) -> None:
    press(app, "pause")
    clock[0] += writing.DOUBLE_CLICK_S / 2
    press(app, "undo pause")
    assert written(engine) == ["pause"]
    clock[0] += writing.DOUBLE_CLICK_S
    press(app, "undo pause")
    assert written(engine) == ["pause", "undo"]


def test_nothing_is_done_in_a_session_that_is_over(app: AppTest, engine: Engine) -> None:
    app.session_state["visitor"] = gate.Visitor("dana", 1.0, "")
    press(app, "pause")
    assert written(engine) == []
