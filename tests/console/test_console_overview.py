"""The overview over a real database: normal, empty, in both languages, the database away."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from opening import Opened, away
from people import add_devices, launch_to, phones, workspace
from placing import place_campaign, place_message
from sqlalchemy import Engine, text

from console import reading, writing
from local.postgres import EmbeddedPostgres
from services import aggregate, distribute, processes
from services.processes import Process

Console = Callable[..., Opened]


@pytest.mark.parametrize("lang", ["en", "he"])
def test_an_empty_workspace_says_what_to_do(console: Console, lang: str) -> None:
    page = console(lang=lang).fine()
    if lang == "en":
        assert page.figures == {"Pending": "0", "Sent, 5 min": "0", "Failed, 5 min": "0", "Phones ready": "0 of 0"}
        assert "Nothing is sending." in page.words
        assert "There is no phone to send from yet." in page.words


def test_the_figures_are_those_of_the_database(console: Console, engine: Engine) -> None:
    with engine.begin() as db:
        first, _ = add_devices(db, 2)
        (stuck,) = add_devices(db, 1, can_send=False, name="away")
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
        place_message(db, place_campaign(db, "accepted", title="Just *launched*"), device_id=stuck)
    page = console().fine()
    assert page.figures == {
        "Pending": "1,201",
        "Sent, 5 min": "1",
        "Failed, 5 min": "300",
        "Phones ready": "2 of 3",
    }
    assert "1 phone cannot send · 1 message waits for them" in page.words
    assert "300 of 1,500 · 20%" in page.words
    assert r"Just \*launched\*" in page.words
    assert "not counted yet" in page.words
    assert "Updated" in page.words


def test_numbers_keep_their_order_from_right_to_left(console: Console, engine: Engine) -> None:
    with engine.begin() as db:
        add_devices(db, 21)
        add_devices(db, 3, can_send=False, name="away")
    shares = [value for value in console(lang="he").fine().figures.values() if "24" in value]
    assert shares == ["\u2067\u206621\u2069 מתוך \u206624\u2069\u2069"]


def test_pausing_from_here_pauses(console: Console, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with engine.begin() as db:
        running = place_campaign(db, "running", title="A campaign")
    page = console().press(f"pause {running}").fine()
    with engine.begin() as db:
        row = db.execute(text("SELECT status, (SELECT who FROM audit) AS who FROM campaigns")).one()
    assert (row.status, row.who) == ("paused", "console")
    assert "Paused. Messages already handed to phones may still go out." in page.words
    page.press(f"resume {running}")  # the second half of a double click
    assert page.app.button(key=f"resume {running}") is not None
    monkeypatch.setattr(writing, "DOUBLE_CLICK_S", 0.0)
    page.press(f"resume {running}").fine()
    with engine.begin() as db:
        assert db.execute(text("SELECT status FROM campaigns")).scalar_one() == "running"


def test_one_press_stops_all_sending_from_any_page(console: Console, engine: Engine) -> None:
    with engine.begin() as db:
        workspace(db)
    page = console("system").press("stop-all").fine()
    with engine.begin() as db:
        assert db.execute(text("SELECT sending_stopped_at FROM workspaces")).scalar_one() is not None
    assert any("All sending is stopped since" in badge.value for badge in page.app.markdown)
    assert "Start sending…" in page.buttons


def test_when_the_database_is_away_the_last_figures_stay_with_their_age(
    console: Console, engine: Engine, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "REST_S", 0.0)
    with engine.begin() as db:
        add_devices(db, 1)
        launch_to(db, phones(7))
    page = console()
    assert page.figures["Pending"] == "7"
    reading.expire()
    with away(postgres, engine):
        page.run().fine()
        assert page.figures["Pending"] == "7"
        assert "the database does not answer" in page.words
        assert " ago" in page.words
        assert "Updated" not in page.words
        assert "Sending: not known" in page.words
    page.run().fine()
    assert "the database does not answer" not in page.words
    assert page.figures["Pending"] == "7"


def test_whoever_comes_while_it_is_away_is_shown_no_number(
    console: Console, engine: Engine, postgres: EmbeddedPostgres
) -> None:
    with away(postgres, engine):
        page = console().fine()
        assert page.figures == {}
        assert "there are no numbers yet" in page.words
        assert "Sending: not known" in page.words


def test_nothing_looks_well_while_nobody_sends(console: Console, engine: Engine) -> None:
    with engine.begin() as db:
        add_devices(db, 1)
        processes.report(db, Process("here:1", "dispatcher", 1), leads=True, first=True)
    page = console().fine()
    assert "Nothing is sent: no worker is at work." in page.words
    assert "no dispatcher" not in page.words
    assert "Sending is in trouble" in page.words
    with engine.begin() as db:
        processes.report(db, Process("here:2", "worker", 16), leads=False, first=True)
    reading.expire()
    page.run().fine()
    assert "no worker is at work" not in page.words
    assert "Sending is on" in page.words
