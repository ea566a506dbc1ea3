"""A new campaign, step by step: what is typed is kept, what is missing is said, what is launched is launched once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from databases import Rows
from opening import Opened, away
from people import add_devices, workspace
from sqlalchemy import Engine, text

from console import reading
from local.postgres import EmbeddedPostgres
from services import draft_file, drafts, launch_draft
from services.draft_file import How

Console = Callable[..., Opened]

PEOPLE = """Full name,Mobile,City
Dana,050-123-4567,Haifa
Avi,0521234567,
Noa,12,Eilat
Gal,0501234567,Yafo
"""

JERUSALEM = ZoneInfo("Asia/Jerusalem")


class Database(Rows):
    def __init__(self, engine: Engine) -> None:
        self.engine = engine


@pytest.fixture
def database(engine: Engine) -> Database:
    with engine.begin() as db:
        workspace(db)
    return Database(engine)


@pytest.fixture
def draft(database: Database) -> Callable[..., int]:
    """Makes a draft with the people of a file."""

    def make(content: str | bytes = PEOPLE, **changes: Any) -> int:
        data = content if isinstance(content, bytes) else content.encode()
        with database.engine.begin() as db:
            here = workspace(db)
            draft_id = drafts.create(db, here, {"title": "November", **changes}, who="dana")
            draft_file.keep(db, here, draft_id, "people.csv", data, draft_file.read(data, How(), "IL"), who="dana")
        return draft_id

    return make


@pytest.fixture
def phone(database: Database) -> int:
    with database.engine.begin() as db:
        return add_devices(db, 1, name="Sales ")[0]


def kept(database: Database, column: str) -> Any:
    return database.one(f"SELECT {column} FROM campaigns")


def asked(page: Opened, name: str) -> str:
    """What stands in the address."""
    given = page.app.query_params[name]
    return str(given if isinstance(given, str) else given[0])


def choose(page: Opened, label: str, value: Any) -> Opened:
    """Choose in the radio or selectbox with this label."""
    app = page.app
    found = [part for part in [*app.radio, *app.selectbox, *app.multiselect] if part.label == label]
    assert len(found) == 1, f"{label!r} among {[part.label for part in found]}"
    found[0].set_value(value).run()
    return page


@pytest.mark.parametrize("lang", ["en", "he"])
@pytest.mark.parametrize("step", ["people", "message", "pace", "check", "nonsense"])
def test_nothing_is_made_by_looking(console: Console, database: Database, lang: str, step: str) -> None:
    console("new", step=step, lang=lang).fine()
    assert database.rows("SELECT id FROM campaigns") == []


def test_the_first_typed_word_makes_a_draft_that_anybody_can_open(console: Console, database: Database) -> None:
    page = console("new", step="message")
    page.app.text_area[0].input("Hello {name|there}").run()
    page.fine()
    draft_id = kept(database, "id")
    assert asked(page, "draft") == str(draft_id)
    assert kept(database, "message") == "Hello {name|there}"
    assert "Saved" in page.words
    colleague = console("new", step="message", draft=draft_id).fine()
    assert colleague.app.text_area[0].value == "Hello {name|there}"
    assert "0 people" in console("new").fine().words


def test_an_upload_says_what_became_of_each_row(console: Console, database: Database) -> None:
    page = console("new")
    page.app.file_uploader[0].upload("November list.csv", PEOPLE.encode(), "text/csv").run()
    page.fine()
    assert "2 will receive it · 1 bad row · 1 duplicate" in page.words
    assert "The number is too short for its country" in page.words
    assert "2 rows are left out" in page.words
    assert kept(database, "title") == "November list"
    assert {select.label: select.value for select in page.app.selectbox if select.value}["Names are in"] == "Full name"
    choose(page, "Phone numbers are in", "City").fine()
    assert "0 will receive it · 4 bad rows" in page.words


def test_a_file_that_cannot_be_read_is_cured_on_the_page(
    console: Console, draft: Callable[..., int], database: Database
) -> None:
    draft_id = draft("שם,מספר ראשי\nדנה,0501234567\n".encode("windows-1255"))
    page = console("new", draft=draft_id).fine()
    assert "Choose the one that looks right." in page.words
    choose(page, "Which of these looks right?", "windows-1255").fine()
    assert "Which column holds the phone numbers?" in page.words
    choose(page, "Phone numbers are in", "מספר ראשי").fine()
    assert "1 will receive it" in page.words
    assert database.one("SELECT phone_column FROM draft_files") == "מספר ראשי"
    faulty = console("new", draft=draft("phone,phone\n1,2\n")).fine()
    assert "Two columns are called phone" in faulty.words


def test_the_message_is_shown_as_real_people_get_it(
    console: Console, draft: Callable[..., int], database: Database
) -> None:
    draft_id = draft(message="Hi {name}")
    page = console("new", step="message", draft=draft_id).fine()
    assert any("Hi Dana" in html.proto.body for html in page.app.get("html"))
    page.press("{City}").fine()
    assert kept(database, "message") == "Hi {name} {City}"
    assert page.app.text_area[0].value == "Hi {name} {City}"
    assert "`{City}` has no value for 1 person" in page.words
    page.press("person after").fine()
    assert asked(page, "person") == "3"
    assert "This person lacks a value" in page.words
    page.app.text_area[0].input("Hi {name").run()
    assert "This { is never closed" in page.words
    page.app.text_area[0].input("Hi {nme|there}").run()  # everybody would get the fallback
    assert "no column `{nme}`" in page.words


def test_a_test_goes_to_ones_own_number(
    console: Console, draft: Callable[..., int], database: Database, phone: int
) -> None:
    page = console("new", step="message", draft=draft(message="Hi {name}")).fine()
    page.app.text_input("my number").input("0541234567").run()
    page.press("Send the test").fine()
    sent = database.rows("SELECT id, phone, text, device_id, origin FROM messages")
    assert [tuple(row)[1:] for row in sent] == [("+972541234567", "Hi Dana", phone, "single")]
    assert asked(page, "test") == str(sent[0].id)
    page.app.text_input("my number").input("12").run()
    page.press("Send the test").fine()
    assert len(database.rows("SELECT id FROM messages")) == 1
    assert page.app.error


def test_when_it_goes_out_is_said_by_the_clock_of_the_workspace(
    console: Console, draft: Callable[..., int], database: Database
) -> None:
    database.execute("UPDATE workspaces SET time_zone = 'Asia/Jerusalem'")
    page = console("new", step="pace", draft=draft()).fine()
    choose(page, "When", "later").fine()
    assert kept(database, "scheduled_at") > datetime.now(UTC)
    change = next_change_of_clocks()
    page.app.date_input[0].set_value(change).run()
    page.app.time_input[0].set_value(time(2, 30)).run()
    page.fine()
    assert kept(database, "scheduled_at").astimezone(UTC).time() == time(0, 30)
    assert "03:30" in page.words
    assert "the clocks skip that hour" in page.words
    page.app.time_input[0].set_value(time(0, 0)).run()
    page.app.date_input[0].set_value(datetime.now(JERUSALEM).date()).run()
    assert "This time has passed" in page.words
    assert kept(database, "scheduled_at").astimezone(JERUSALEM).date() == change
    choose(page, "When", "now").fine()
    assert kept(database, "scheduled_at") is None


def next_change_of_clocks() -> date:
    """The Friday before the last Sunday of March, on which clocks in Israel go forward at two."""
    today = datetime.now(UTC).date()
    changes = []
    for year in (today.year, today.year + 1):
        last = date(year, 3, 31)
        changes.append(last - timedelta(days=(last.weekday() + 1) % 7 + 2))
    return next(change for change in changes if change > today)


def test_phones_and_pace_are_kept(console: Console, draft: Callable[..., int], database: Database, phone: int) -> None:
    with database.engine.begin() as db:
        add_devices(db, 1, can_send=False, name="Away ")
        db.execute(text("UPDATE devices SET state = 'logged_out' WHERE NOT can_send"))
    page = console("new", step="pace", draft=draft()).fine()
    assert "All that can send: 1 of 2 now" in page.app.radio[1].options
    assert "Scan its QR code to connect it again." in page.words
    choose(page, "From which phones", "some").fine()
    choose(page, "Phones", [phone]).fine()
    assert kept(database, "device_ids") == [phone]
    assert "Scan its QR code" not in page.words
    choose(page, "How fast", "careful").fine()
    assert (kept(database, "min_delay_s"), kept(database, "max_delay_s")) == (10, 30)
    choose(page, "How fast", "own").fine()
    page.app.number_input[0].set_value(7.0).run()
    assert (kept(database, "min_delay_s"), kept(database, "max_delay_s")) == (7, 30)
    page.app.number_input[1].set_value(1.0).run()
    assert "must not be above the longest" in page.words
    assert kept(database, "max_delay_s") == 30
    again = console("new", step="pace", draft=kept(database, "id")).fine()
    assert [radio.value for radio in again.app.radio] == ["now", "some", "own"]


@pytest.mark.usefixtures("phone")
def test_it_is_launched_to_whom_the_button_says(
    console: Console, draft: Callable[..., int], database: Database
) -> None:
    draft_id = draft(message="Hi {name} of {City}")
    page = console("new", step="check", draft=draft_id).fine()
    assert "1 will receive it · 1 bad row · 1 duplicate · 1 lacks a value" in page.words
    assert "Launch to 1 person" in page.buttons
    page.press("launch").fine()
    assert (kept(database, "status"), kept(database, "id")) == ("accepted", draft_id)
    assert database.rows("SELECT phone FROM messages") == [("+972501234567",)]
    assert database.one("SELECT count(*) FROM audit WHERE action = 'launch' AND who = 'console'") == 1
    assert asked(page, "campaign") == str(draft_id)
    # Whoever has the draft's address still open comes to its campaign.
    assert asked(console("new", step="check", draft=draft_id).fine(), "campaign") == str(draft_id)


@pytest.mark.usefixtures("phone")
def test_the_same_again_is_launched_only_when_it_is_meant(
    console: Console, draft: Callable[..., int], database: Database
) -> None:
    first = draft(message="Hello", title="The first")
    with database.engine.begin() as db:
        launch_draft.launch_draft(db, workspace(db), first, who="dana")
    page = console("new", step="check", draft=draft(message="Hello")).press("launch").fine()
    assert "This message went to these people already, in **The first**" in page.words
    assert database.one("SELECT count(*) FROM campaigns WHERE status = 'accepted'") == 1
    page.press("launch again").fine()
    assert database.one("SELECT count(*) FROM campaigns WHERE status = 'accepted'") == 2


def test_what_stands_in_the_way_is_said_and_nothing_can_be_launched(
    console: Console, draft: Callable[..., int], database: Database
) -> None:
    with database.engine.begin() as db:
        add_devices(db, 1, can_send=False, name="Sales ")
        db.execute(text("UPDATE devices SET state = 'logged_out'"))
    page = console("new", step="check", draft=draft(message="Hello")).fine()
    assert "No phone can send" in page.words
    assert "**Sales 1**" in page.words
    assert "Scan its QR code to connect it again." in page.words
    assert [button.disabled for button in page.app.button if button.key == "launch"] == [True]
    page = console("new", step="check", draft=draft("phone\n12\n")).fine()
    assert "There is nobody to send to yet" in page.words
    assert "The message has no text yet." in page.words
    page.press("mend message").fine()
    assert asked(page, "step") == "message"


def test_a_draft_is_deleted_and_says_so_to_others(
    console: Console, draft: Callable[..., int], database: Database
) -> None:
    draft_id = draft()
    colleague = console("new", draft=draft_id).fine()
    console("new", draft=draft_id).press("Delete this draft").fine()
    assert database.rows("SELECT id FROM campaigns") == []
    reading.expire()
    assert "This draft is not there any more" in colleague.run().fine().words


def test_what_is_typed_while_the_database_is_away_is_saved_when_it_is_back(
    console: Console,
    draft: Callable[..., int],
    database: Database,
    postgres: EmbeddedPostgres,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "REST_S", 0.0)
    monkeypatch.setattr("console.world.PATIENCE_S", 0.1)
    page = console("new", step="message", draft=draft(message="Hello")).fine()
    with away(postgres, database.engine):
        page.app.text_area[0].input("Hello, you").run()
        page.fine()
        assert "The database does not answer" in page.words
        assert "Not saved yet" in page.words
        assert page.app.text_area[0].value == "Hello, you"
    database.engine.dispose()  # of connections that were cut
    page.run().fine()
    assert kept(database, "message") == "Hello, you"
    assert "Not saved yet" not in page.words


@pytest.mark.usefixtures("phone")
@pytest.mark.parametrize("step", ["people", "message", "pace", "check"])
def test_every_step_can_be_read_from_right_to_left(console: Console, draft: Callable[..., int], step: str) -> None:
    console("new", step=step, draft=draft(message="Hi {name} of {City}"), lang="he").fine()


@pytest.mark.parametrize("parameters", [{}, {"draft": 1}])
def test_whoever_comes_while_the_database_is_away_is_told(
    console: Console, database: Database, postgres: EmbeddedPostgres, parameters: dict[str, int]
) -> None:
    with away(postgres, database.engine):
        assert "there are no numbers yet" in console("new", **parameters).fine().words
