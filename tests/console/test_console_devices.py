"""The phones' page over a real database: trouble first, the rest in a table, one phone with all that is done to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from opening import Opened, away
from people import add_devices, workspace
from placing import place_campaign, place_message, use_devices
from sqlalchemy import Engine, text

from console import reading
from local.postgres import EmbeddedPostgres

Console = Callable[..., Opened]

OFFICIAL = "Official number (Meta's Cloud API)"  # which needs no bridge of ours


def change(engine: Engine, device_id: int, changes: str) -> None:
    with engine.begin() as db:
        db.execute(text(f"UPDATE devices SET {changes} WHERE id = :id"), {"id": device_id})


def device(engine: Engine, device_id: int) -> Any:
    with engine.begin() as db:
        return db.execute(text("SELECT * FROM devices WHERE id = :id"), {"id": device_id}).one()


@pytest.mark.parametrize("lang", ["en", "he"])
def test_without_phones_it_says_what_to_do(console: Console, lang: str) -> None:
    page = console("devices", lang=lang).fine()
    assert page.figures == {}
    if lang == "en":
        assert "There is no phone to send from yet. Add the first one." in page.words
        assert "Add a phone" in page.buttons


def test_trouble_comes_first_and_the_rest_stands_in_a_table(console: Console, engine: Engine) -> None:
    with engine.begin() as db:
        ready, capped, full, lost, banned, behind = add_devices(db, 6)
        place_message(db, None, device_id=full)
        place_message(db, None, device_id=behind)
        db.execute(text("INSERT INTO bridges (address, away_since) VALUES ('http://away', '2026-11-20 08:15+00')"))
    change(engine, ready, "day_count = 107, day = now()::date, daily_cap = 300, phone = '+972501234567'")
    for reached in (capped, full):
        change(engine, reached, "day_count = 9, day = now()::date, daily_cap = 9")
    change(engine, lost, "name = 'Sales *1*', can_send = false, connected = false, qr_required = true, state = 'qr'")
    change(engine, banned, "can_send = false, connected = false, state = 'banned', error_code = 'banned'")
    change(engine, behind, "bridge_address = 'http://away'")
    page = console("devices").fine()
    assert page.figures == {"Phones ready": "1 of 6", "Sent today": "125", "Waiting to be sent": "2"}
    assert "3 phones need you" in page.words
    order = [page.words.index(words) for words in ("has banned this number", "is not paired", "as much as its limit")]
    assert order == sorted(order)
    assert r"**Sales \*1\***" in page.words
    assert "1 phone waits for it. 1 message goes on by itself when it is back." in page.words
    assert page.buttons.count("Scan QR code") == 1
    table = page.app.dataframe[0].value
    assert list(table["state"]) == ["Not known", "At its limit", "Ready"]
    assert table.iloc[2][["name", "phone", "today", "limit"]].tolist() == ["device1", "+972 50-123-4567", 107, 300]


def test_three_thousand_phones_are_a_dozen_cards_and_two_tables(console: Console, engine: Engine) -> None:
    with engine.begin() as db:
        add_devices(db, 2900)
        add_devices(db, 100, can_send=False, name="away")
        db.execute(text("UPDATE devices SET state = 'closed' WHERE NOT can_send"))
    page = console("devices").fine()
    assert page.figures["Phones ready"] == "2,900 of 3,000"
    assert page.buttons.count("Start") == 12
    assert [expander.label for expander in page.app.expander] == ["88 more need you", "2,900 other phones"]
    assert [len(table.value) for table in page.app.dataframe] == [88, 2900]


@pytest.mark.parametrize("lang", ["en", "he"])
def test_one_phone(console: Console, engine: Engine, lang: str) -> None:
    with engine.begin() as db:
        (one,) = add_devices(db, 1)
    page = console("devices", device=one, lang=lang).fine()
    if lang == "en":
        assert page.figures == {"Sent today": "0", "Waiting": "0"}
        assert {"Restart", "Disconnect…", "Log out…", "Delete this phone…"} <= set(page.buttons)
        assert "Nothing waits here." in page.words
        assert "There is no such phone" in console("devices", device=one + 1).fine().words


def test_pace_and_limits_are_changed_as_they_are_asked_for(console: Console, engine: Engine) -> None:
    with engine.begin() as db:
        (one,) = add_devices(db, 1)
    change(engine, one, "hourly_cap = 50")
    page = console("devices", device=one)
    name = next(field for field in page.app.text_input if field.label == "Name")
    name.input("Sales 1")
    gap, daily, hourly = page.app.number_input
    gap.set_value(7.5)
    daily.set_value(200)
    hourly.set_value(None)
    page.press("Save").fine()
    now = device(engine, one)
    assert (now.name, now.min_gap_s, now.daily_cap, now.hourly_cap) == ("Sales 1", 7.5, 200, None)
    assert page.app.title[0].value == "Sales 1"
    with engine.begin() as db:
        audited = db.execute(text("SELECT who, action FROM audit")).all()
    assert [tuple(row) for row in audited] == [("console", "change_device")]


def test_what_waits_here_is_moved(console: Console, engine: Engine) -> None:
    with engine.begin() as db:
        going, other = add_devices(db, 2)
        campaign = place_campaign(db)
        use_devices(db, campaign, going, other)
        messages = [place_message(db, campaign, device_id=going) for _ in range(2)]
        messages.append(place_message(db, campaign, device_id=going, attempts=["unknown"]))
    page = console("devices", device=going).fine()
    assert "3 messages wait here." in page.words
    page.press("Move to other phones").fine()
    with engine.begin() as db:
        on = [db.execute(text("SELECT device_id FROM messages WHERE id = :id"), {"id": id}).scalar() for id in messages]
    assert on == [other, other, going]
    assert "2 messages moved." in page.words
    assert "1 message stays" in page.words


def test_a_bridge_that_is_away_is_said_and_nothing_is_written_down(console: Console, engine: Engine) -> None:
    with engine.begin() as db:
        (one,) = add_devices(db, 1, can_send=False)
        db.execute(text("UPDATE devices SET state = 'closed'"))
    page = console("devices", device=one).press("Start").fine()
    assert "The bridge to WhatsApp does not answer. Nothing was changed" in page.words
    with engine.begin() as db:
        assert db.execute(text("SELECT count(*) FROM audit")).scalar_one() == 0


def test_when_the_database_is_away_the_last_figures_stay(
    console: Console, engine: Engine, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PATIENCE_S", 0.1)
    with engine.begin() as db:
        workspace(db)
        (one,) = add_devices(db, 1)
    every, single = console("devices"), console("devices", device=one)
    reading.expire()
    with away(postgres, engine):
        assert every.run().fine().figures["Phones ready"] == "1 of 1"
        assert "the database does not answer" in every.words
        assert single.run().fine().figures["Waiting"] == "0"
        assert "the database does not answer" in single.words
        unknown = console("devices", device=one + 1).fine()
        assert "there are no numbers yet" in unknown.words
        assert "There is no such phone" not in unknown.words


@pytest.mark.parametrize(
    ("served", "kinds"),
    [
        (None, ["WhatsApp phone", "Simulated phone, to try things out", OFFICIAL]),
        ("simulator", ["Simulated phone, to try things out", OFFICIAL]),
        ("baileys", ["WhatsApp phone", OFFICIAL]),
    ],
)
def test_only_phones_that_the_bridge_serves_can_be_added(
    console: Console, engine: Engine, served: str | None, kinds: list[str]
) -> None:
    with engine.begin() as db:
        db.execute(text("UPDATE bridges SET provider = :served"), {"served": served})
    page = console("devices", add=1).fine()
    assert page.app.radio[0].options == kinds


def test_the_code_of_a_phone_of_another_kind_is_not_shown(console: Console, engine: Engine) -> None:
    with engine.begin() as db:
        (phone,) = add_devices(db, 1, can_send=False)
        db.execute(text("UPDATE bridges SET provider = 'baileys'"))
    change(engine, phone, "state = 'wrong_bridge', error_code = 'wrong_bridge'")
    page = console("devices", device=phone, scan=1).fine()
    assert "This phone is of another kind than the bridge that runs" in page.words
