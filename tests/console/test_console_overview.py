"""The console's first page over a real database: normal, empty, database away, wrong password."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from databases import admin
from people import add_devices, launch_to, phones, workspace
from placing import place_campaign, place_message
from sqlalchemy import Engine, text
from streamlit.testing.v1 import AppTest

from console.gate import PAUSE_S
from local.postgres import EmbeddedPostgres
from services import aggregate, distribute

APP = Path(__file__).parents[2] / "console" / "app.py"
PASSWORD = "a password for tests"


@pytest.fixture
def console(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], AppTest]]:
    """Opens the console in a browser session of its own."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("CONSOLE_PASSWORD", PASSWORD)
    st.cache_resource.clear()

    def open_it() -> AppTest:
        return AppTest.from_file(str(APP), default_timeout=20).run()

    yield open_it
    st.cache_resource.clear()


def enter(app: AppTest, password: str = PASSWORD) -> AppTest:
    app.text_input[0].input(password)
    return app.button[0].click().run()


def figures(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def words(app: AppTest) -> str:
    return " | ".join(str(part.value) for part in [*app.error, *app.warning, *app.markdown, *app.caption])


def test_nothing_is_shown_to_a_stranger(console: Callable[[], AppTest]) -> None:
    app = console()
    assert not app.exception
    assert figures(app) == {}
    assert app.text_input[0].proto.type == app.text_input[0].proto.PASSWORD


@pytest.mark.parametrize("guess", ["", "wrong", PASSWORD + " ", "סיסמה"])
def test_a_wrong_password_is_refused_slowly(console: Callable[[], AppTest], guess: str) -> None:
    app = console()
    started = time.monotonic()
    enter(app, guess)
    assert time.monotonic() - started >= PAUSE_S
    assert "That is not the password." in words(app)
    assert figures(app) == {}
    assert figures(enter(app)) != {}


def test_an_empty_workspace_says_so(console: Callable[[], AppTest]) -> None:
    app = enter(console())
    assert not app.exception
    assert figures(app) == {"Pending": "0", "Sent, 5 min": "0", "Failed, 5 min": "0", "Phones ready": "0 of 0"}
    assert "Nothing is sending." in words(app)


def test_the_figures_are_those_of_the_database(console: Callable[[], AppTest], engine: Engine) -> None:
    with engine.begin() as db:
        first, _ = add_devices(db, 2)
        add_devices(db, 1, can_send=False, name="away")
        launched = launch_to(db, phones(1500), title="November promo")
    with engine.begin() as db:
        distribute.distribute(db, launched.campaign_id)
        db.execute(
            text(
                "UPDATE messages SET status = 'failed', error_code = 'expired'"
                " WHERE id IN (SELECT id FROM messages ORDER BY id LIMIT 300)"
            )
        )
        place_message(db, place_campaign(db, "completed"), "sent", device_id=first, attempts=["sent"])
        aggregate.aggregate(db, launched.campaign_id)
        place_campaign(db, "accepted", title="Just launched")
    app = enter(console())
    assert not app.exception
    assert figures(app) == {"Pending": "1,200", "Sent, 5 min": "1", "Failed, 5 min": "300", "Phones ready": "2 of 3"}
    assert "1 phone cannot send." in words(app)
    assert [bar.proto.text for bar in app.get("progress")] == ["November promo (queued): 300 of 1,500"]
    assert "Just launched (accepted): not counted yet" in words(app)
    assert "Updated" in words(app)


def test_that_all_sending_is_stopped_comes_first(console: Callable[[], AppTest], engine: Engine) -> None:
    with engine.begin() as db:
        workspace(db)
        db.execute(text("UPDATE workspaces SET sending_stopped_at = '2026-11-20 08:15+00'"))
    assert "All sending is stopped since 08:15 UTC." in words(enter(console()))


def test_when_the_database_is_away_the_last_figures_stay_with_their_age(
    console: Callable[[], AppTest], engine: Engine, postgres: EmbeddedPostgres
) -> None:
    with engine.begin() as db:
        add_devices(db, 1)
        launch_to(db, phones(7))
    name = str(engine.url.database)
    app = enter(console())
    assert figures(app)["Pending"] == "7"
    shut(postgres, name, away=True)
    app.run()
    assert not app.exception
    assert figures(app)["Pending"] == "7"
    assert "the database does not answer" in words(app)
    assert " s ago" in words(app)
    assert "Updated" not in words(app)
    # Whoever comes only now is shown no number at all, above all no 0.
    stranger = enter(console())
    assert figures(stranger) == {}
    assert "there are no numbers yet" in words(stranger)
    shut(postgres, name, away=False)
    app.run()
    assert "the database does not answer" not in words(app)
    assert figures(app)["Pending"] == "7"


def shut(postgres: EmbeddedPostgres, name: str, *, away: bool) -> None:
    """Let nobody into a database, or let everybody in again."""
    admin(postgres.url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS {'false' if away else 'true'}")
    if away:
        admin(postgres.url, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
