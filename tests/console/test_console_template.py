"""A new campaign by template: which one, what fills its places, from which numbers, and what stands in the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cloud_content import put_template, wrote
from cloud_numbers import add_numbers
from databases import Rows
from opening import Opened, away
from people import add_devices, workspace
from sqlalchemy import Engine

from console import reading
from local.postgres import EmbeddedPostgres
from services import draft_file, drafts
from services.draft_file import How

Console = Callable[..., Opened]

ORDER: list[dict[str, Any]] = [
    {"type": "BODY", "text": "Hello {{1}}, your order {{2}} is ready."},
    {"type": "FOOTER", "text": "The shop"},
    {
        "type": "BUTTONS",
        "buttons": [
            {"type": "URL", "text": "Track it", "url": "https://shop.example/track/{{1}}"},
            {"type": "QUICK_REPLY", "text": "Stop"},
        ],
    },
]
PICTURE: list[dict[str, Any]] = [
    {"type": "HEADER", "format": "IMAGE"},
    {"type": "BODY", "text": "Sale for {{first_name}}!"},
]
CAROUSEL: list[dict[str, Any]] = [{"type": "BODY", "text": "Look"}, {"type": "CAROUSEL", "cards": []}]
PEOPLE = "phone,name,order\n+972501234567,Dana,17\n+972521234567,Avi,\n"
NAME = ("order_ready", "en_US")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


class Database(Rows):
    def __init__(self, engine: Engine) -> None:
        self.engine = engine


@pytest.fixture
def database(engine: Engine) -> Database:
    return Database(engine)


@pytest.fixture
def numbers(engine: Engine) -> list[int]:
    """Two official numbers, whose account has a template."""
    with engine.begin() as db:
        found = add_numbers(db, 2, name="Official ")
        put_template(db, "order_ready", ORDER, language="en_US")
        return found


def make(engine: Engine, content: str = PEOPLE, **changes: Any) -> int:
    """A draft with the people of a file."""
    data = content.encode()
    with engine.begin() as db:
        here = workspace(db)
        draft_id = drafts.create(db, here, {"title": "November", **changes}, who="dana")
        draft_file.keep(db, here, draft_id, "people.csv", data, draft_file.read(data, How(), "IL"), who="dana")
    return draft_id


def filling(values: dict[str, str], name: tuple[str, str] = NAME, media_id: int | None = None) -> dict[str, Any]:
    return {"name": name[0], "language": name[1], "values": values, "media_id": media_id}


FILLED = {"body.1": "{name|there}", "body.2": "{order|soon}", "button.0": "{order|all}"}


def kept(database: Database, column: str) -> Any:
    return database.one(f"SELECT {column} FROM campaigns")


def html(page: Opened) -> str:
    return " ".join(part.proto.body for part in page.app.get("html"))


def choose_kind(page: Opened, kind: str) -> Opened:
    control = next(part for part in page.app.get("button_group") if part.label == "What is sent")
    control.set_value(kind).run()
    return page.fine()


def field(page: Opened, place: str) -> Any:
    """The field of a place of the template."""
    (found,) = [part for part in page.app.text_input if str(part.key).endswith(f" {place}")]
    return found


def test_whoever_has_no_official_number_is_not_asked(console: Console, engine: Engine) -> None:
    with engine.begin() as db:
        add_devices(db, 1)
    page = console("new", step="message", draft=make(engine)).fine()
    assert not [part for part in page.app.get("button_group") if part.label == "What is sent"]


@pytest.mark.usefixtures("numbers")
def test_a_template_is_chosen_filled_and_shown_as_people_get_it(
    console: Console, engine: Engine, database: Database
) -> None:
    with engine.begin() as db:
        put_template(db, "rejected", status="REJECTED")
        put_template(db, "many_pictures", CAROUSEL)
    page = console("new", step="message", draft=make(engine, message="Hello")).fine()
    choose_kind(page, "template")
    choice = next(part for part in page.app.selectbox if part.label == "Template")
    assert choice.options == ["order_ready · English (United States) · Utility"]
    assert "1 more is approved, but has parts that cannot be filled here" in page.words
    choice.set_value(NAME).run()
    page.fine()
    field(page, "body.1").input("{name|there}").run()
    field(page, "body.2").input("no. {order}").run()
    page.fine()
    stored = kept(database, "template")
    assert stored["values"] == {"body.1": "{name|there}", "body.2": "no. {order}", "button.0": ""}
    assert stored["components"] == ORDER
    assert kept(database, "message").startswith("Hello {name|there}, your order no. {order} is ready.")
    assert "Hello Dana, your order no. 17 is ready." in html(page)
    assert "https://shop.example/track/{{1}}" in html(page)  # nothing fills it yet
    assert "Stop" in html(page)
    assert "`{order}` has no value for 1 person" in page.words
    field(page, "button.0").input("all").run()
    assert "This person lacks a value" not in page.words
    page.press("person after").fine()
    assert "This person lacks a value" in page.words
    colleague = console("new", step="message", draft=kept(database, "id")).fine()
    assert field(colleague, "body.2").value == "no. {order}"


@pytest.mark.usefixtures("numbers")
def test_a_variable_is_put_in_and_a_brace_that_is_wrong_is_said(
    console: Console, engine: Engine, database: Database
) -> None:
    page = console("new", step="message", draft=make(engine, template=filling({"body.1": "Dear"}))).fine()
    menu = next(part for part in page.app.get("menu_button") if part.key == "put body.1")
    menu.click("name").run()
    page.fine()
    assert kept(database, "template")["values"]["body.1"] == "Dear {name}"
    field(page, "body.2").input("{order").run()
    assert "This { is never closed" in page.words
    page = console("new", step="check", draft=kept(database, "id")).fine()
    assert "The message cannot be read" in page.words


@pytest.mark.usefixtures("numbers")
def test_what_was_typed_is_there_again_after_looking_at_the_other_kind(
    console: Console, engine: Engine, database: Database
) -> None:
    page = console("new", step="message", draft=make(engine, message="Hello {name}")).fine()
    choose_kind(page, "template")
    assert kept(database, "message") == "Hello {name}"  # nothing is lost by looking
    page.app.selectbox[0].set_value(NAME).run()
    field(page, "body.1").input("Dana").run()
    choose_kind(page, "text")
    assert (kept(database, "message"), kept(database, "template")) == ("Hello {name}", None)
    assert page.app.text_area[0].value == "Hello {name}"
    choose_kind(page, "template")
    assert kept(database, "template")["values"]["body.1"] == "Dana"


def test_the_file_of_a_header_is_kept_at_once(console: Console, engine: Engine, database: Database) -> None:
    with engine.begin() as db:
        add_numbers(db, 1)
        put_template(db, "sale", PICTURE, language="he")
    name = ("sale", "he")
    page = console("new", step="message", draft=make(engine, template=filling({}, name))).fine()
    page.app.file_uploader[0].upload("hat.png", PNG, "image/png").run()
    page.fine()
    media_id = kept(database, "template")["media_id"]
    assert database.one("SELECT filename FROM media WHERE id = :id", id=media_id) == "hat.png"
    assert "**hat\\.png**" in page.words
    assert "hat.png" in html(page)
    page.app.file_uploader[0].upload("hat.png", b"no picture", "image/png").run()
    assert "WhatsApp does not take this kind of file" in page.words
    assert kept(database, "template")["media_id"] == media_id


def test_only_numbers_that_can_send_the_template_are_offered(
    console: Console, engine: Engine, numbers: list[int], database: Database
) -> None:
    with engine.begin() as db:
        add_devices(db, 1, name="Sales ")
        add_numbers(db, 1, business_id="another", name="Stranger ")
    draft_id = make(engine, template=filling(FILLED), device_ids=numbers)
    page = console("new", step="pace", draft=draft_id).fine()
    assert "All that can send: 2 of 2 now" in page.app.radio[1].options
    (offered,) = [part.options for part in page.app.multiselect]
    assert offered == ["Official 1", "Official 2"]
    page = console("new", step="check", draft=draft_id).fine()
    assert "2 of 2 can send now" in page.words
    assert r"order\_ready · English \(United States\)" in page.words
    page.press("launch").fine()
    assert kept(database, "status") == "accepted"
    assert kept(database, "template")["values"] == FILLED


def test_a_test_of_a_template_goes_out_from_a_number_that_can_send_it(
    console: Console, engine: Engine, numbers: list[int], database: Database
) -> None:
    with engine.begin() as db:
        add_devices(db, 1, name="Sales ")
    page = console("new", step="message", draft=make(engine, template=filling(FILLED))).fine()
    (choice,) = [part for part in page.app.selectbox if part.label == "From"]
    assert choice.options == ["Any phone that can send", "Official 1", "Official 2"]
    page.app.text_input("my number").input("0541234567").run()
    page.press("Send the test").fine()
    [sent] = database.rows("SELECT phone, device_id, template FROM messages")
    assert (sent.phone, sent.device_id) == ("+972541234567", numbers[0])
    assert sent.template["values"] == {"body.1": "Dana", "body.2": "17", "button.0": "17"}


@pytest.mark.usefixtures("numbers")
@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (filling({"body.1": "Dana", "body.2": "{order|}"}), ["2 places of the template are not filled"]),
        (filling({"body.1": "{nme}", "body.2": "1", "button.0": "1"}), ["everybody lacks a value"]),
        (
            filling({"body.first_name": ""}, ("sale", "he")),
            ["1 place of the template is not filled", "The header of the template has no file yet."],
        ),
    ],
)
def test_what_a_template_lacks_is_said_before_the_launch(
    console: Console, engine: Engine, asked: dict[str, Any], said: list[str]
) -> None:
    with engine.begin() as db:
        put_template(db, "sale", PICTURE, language="he")
    page = console("new", step="check", draft=make(engine, template=asked)).fine()
    for words in said:
        assert words in page.words
    assert [button.disabled for button in page.app.button if button.key == "launch"] == [True]
    page.press("mend message").fine()
    assert page.app.selectbox[0].label == "Template"


@pytest.mark.usefixtures("numbers")
def test_a_template_that_meta_has_taken_back_is_said(console: Console, engine: Engine, database: Database) -> None:
    draft_id = make(engine, template=filling({}))
    database.execute("UPDATE templates SET status = 'PAUSED'")
    database.execute("UPDATE campaigns SET scheduled_at = clock_timestamp() - interval '1 hour'")
    page = console("new", step="message", draft=draft_id).fine()
    assert "None of your numbers can send this template now" in page.words
    page = console("new", step="check", draft=draft_id).fine()
    order = [page.words.index(words) for words in ("3 places", "No number can send this template", "The time")]
    assert order == sorted(order)


@pytest.mark.usefixtures("numbers")
def test_a_template_that_has_changed_at_meta_is_taken_as_it_is_now(
    console: Console, engine: Engine, database: Database
) -> None:
    draft_id = make(engine, template=filling(FILLED))
    database.execute("""UPDATE templates SET components = '[{"type": "BODY", "text": "Hi {{1}}!"}]'""")
    page = console("new", step="message", draft=draft_id).fine()
    assert "This template has changed since you chose it." in page.words
    page.press("Take it as it is now").fine()
    assert kept(database, "template")["values"] == {"body.1": "{name|there}"}
    assert kept(database, "message") == "Hi {name|there}!"
    assert "has changed" not in page.words


def test_free_text_to_people_outside_the_window_is_an_obstacle_with_their_count(
    console: Console, engine: Engine, numbers: list[int], database: Database
) -> None:
    with engine.begin() as db:
        wrote(db, numbers[0], ["+972501234567"])
    draft_id = make(engine, message="Hello")
    page = console("new", step="check", draft=draft_id).fine()
    assert "1 person has not written to these numbers within 24 hours" in page.words
    assert [button.disabled for button in page.app.button if button.key == "launch"] == [True]
    page.press("mend message").fine()
    assert "A template reaches everybody." in page.words
    with engine.begin() as db:
        wrote(db, numbers[1], ["+972521234567"])
    reading.expire()
    page = console("new", step="check", draft=draft_id).fine()
    assert "has not written" not in page.words
    page.press("launch").fine()
    assert kept(database, "status") == "accepted"


def test_a_text_goes_out_from_one_kind_of_phones(console: Console, engine: Engine, numbers: list[int]) -> None:
    with engine.begin() as db:
        (phone,) = add_devices(db, 1, name="Sales ")
    page = console("new", step="check", draft=make(engine, message="Hello")).fine()
    assert "1 of 1 can send now" in page.words  # the phone, which may write to everybody
    draft_id = make(engine, message="Hello", device_ids=[phone, numbers[0]])
    for step in ("pace", "check"):
        assert "not from both" in console("new", step=step, draft=draft_id).fine().words


@pytest.mark.parametrize("lang", ["en", "he"])
@pytest.mark.parametrize("step", ["message", "pace", "check"])
@pytest.mark.usefixtures("numbers")
def test_every_step_is_drawn_with_a_template_and_before_one_is_chosen(
    console: Console, engine: Engine, step: str, lang: str
) -> None:
    console("new", step=step, draft=make(engine, template=filling({})), lang=lang).fine()
    console("new", step=step, draft=make(engine), kind="template", lang=lang).fine()
    console("new", step=step, kind="template", lang=lang).fine()


@pytest.mark.usefixtures("numbers")
def test_when_the_database_is_away_what_was_read_stays(
    console: Console, engine: Engine, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PATIENCE_S", 0.1)
    page = console("new", step="message", draft=make(engine, template=filling(FILLED))).fine()
    reading.expire()
    with away(postgres, engine):
        page.run().fine()
        assert "the database does not answer" in page.words
        assert field(page, "body.1").value == "{name|there}"
