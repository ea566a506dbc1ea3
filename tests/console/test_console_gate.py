"""Who comes in: the password, its slowness, the name for the record, the end of a session."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from opening import PASSWORD, Opened

from console import gate

Console = Callable[..., Opened]


@pytest.mark.parametrize("lang", ["en", "he"])
def test_nothing_is_shown_to_a_stranger(console: Console, lang: str) -> None:
    page = console(entered=False, lang=lang).fine()
    assert page.figures == {}
    assert page.app.text_input[1].proto.type == page.app.text_input[1].proto.PASSWORD


@pytest.mark.parametrize("guess", ["", "wrong", PASSWORD + " ", "סיסמה"])
def test_a_wrong_password_is_refused_slowly(console: Console, guess: str) -> None:
    page = console(entered=False)
    started = time.monotonic()
    page.enter(guess)
    assert time.monotonic() - started >= gate.PAUSE_S
    assert "That is not the password." in page.words
    assert page.figures == {}
    assert page.enter().figures != {}


def test_a_token_is_good_until_its_time_and_for_its_password_only(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = console(entered=False).enter(name="  Dana ")
    visitor = page.app.session_state["visitor"]
    assert visitor.name == "Dana"
    found = gate.read(visitor.token)
    assert found is not None
    assert found.name == "Dana"
    assert gate.read(visitor.token + "x") is None
    assert gate.read("") is None
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: visitor.until + 2)
    assert gate.read(visitor.token) is None


def test_a_session_that_is_over_asks_for_the_password_again(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    page = console()
    assert page.figures
    monkeypatch.setattr("console.gate.time.time", lambda: 1e12)
    assert page.run().fine().figures == {}


def test_signing_out_is_the_end_of_it(console: Console) -> None:
    page = console().press("Sign out").fine()
    assert page.figures == {}
    assert page.run().figures == {}
