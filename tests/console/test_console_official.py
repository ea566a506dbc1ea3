"""An official number in the console: added after Meta was asked, how it stands with Meta, its token and its templates."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cloud_content import put_template
from cloud_numbers import add_numbers
from databases import Rows
from graph import Graph
from opening import Opened, away
from people import workspace
from sqlalchemy import Engine

from console import reading
from local.postgres import EmbeddedPostgres

Console = Callable[..., Opened]

BODY: list[dict[str, Any]] = [{"type": "BODY", "text": "Hello {{1}}"}]


class Database(Rows):
    def __init__(self, engine: Engine) -> None:
        self.engine = engine


@pytest.fixture
def database(engine: Engine) -> Database:
    with engine.begin() as db:
        workspace(db)
    return Database(engine)


@pytest.fixture
def graph(console: Console, monkeypatch: pytest.MonkeyPatch) -> Iterator[Graph]:
    """Meta, and the settings to reach it."""
    with Graph() as served:
        monkeypatch.setenv("CLOUD_GRAPH_URL", served.url)
        monkeypatch.setenv("CLOUD_TOKEN_KEY", base64.b64encode(bytes(32)).decode())
        yield served


def fill(page: Opened, **given: str) -> Opened:
    """Fill in the form for an official number."""
    labels = {"name": "Name", "number": "Phone number ID", "business": "WhatsApp Business Account ID"}
    for name, value in given.items():
        wanted = labels.get(name, "Access token")
        (found,) = [part for part in page.app.text_input if part.label == wanted]
        found.input(value)
    return page


def form(console: Console) -> Opened:
    """The form to add one."""
    page = console("devices", add=1)
    page.app.radio[0].set_value("cloud").run()
    return page.fine()


def test_a_number_is_added_when_meta_knows_it_with_this_token(
    console: Console, graph: Graph, database: Database
) -> None:
    number = graph.add_number(token="the-secret-token")
    graph.add_template(number.business_id, "order_ready", "en", BODY)
    page = form(console)
    fill(page, name="Sales 1", number=number.id, business=number.business_id, token="a-wrong-token")
    page.press("Ask Meta and add it").fine()
    assert "Meta does not take this number with this token" in page.words
    assert database.rows("SELECT id FROM devices") == []
    fill(page, token="the-secret-token").press("Ask Meta and add it").fine()
    [device] = database.rows("SELECT id, name, provider, session, phone FROM devices")
    assert tuple(device)[1:] == ("Sales 1", "cloud", number.id, f"+{number.phone}")
    assert page.app.query_params["device"] in (str(device.id), [str(device.id)])
    assert page.app.dataframe[0].value.to_numpy().tolist() == [["order_ready", "English", "Marketing", "Approved"]]
    assert "the-secret-token" not in page.words
    # The second half of a double click comes when it is there.
    again = fill(form(console), name="Sales 1", number=number.id, business=number.business_id, token="the-secret-token")
    assert again.press("Ask Meta and add it").fine().app.title[0].value == "Sales 1"
    other = fill(form(console), name="Other", number=number.id, business=number.business_id, token="the-secret-token")
    assert "This number is here already: it is called Sales 1." in other.press("Ask Meta and add it").fine().words
    assert database.one("SELECT count(*) FROM devices") == 1


def test_a_name_is_needed_and_without_a_key_it_is_said(console: Console, database: Database) -> None:
    page = form(console)
    fill(page, number="1", business="2", token="3").press("Ask Meta and add it").fine()
    assert "A phone needs a name." in page.words
    fill(page, name="Sales 1").press("Ask Meta and add it").fine()
    assert "CLOUD_TOKEN_KEY" in page.words
    assert database.rows("SELECT id FROM devices") == []


@pytest.mark.parametrize("lang", ["en", "he"])
def test_how_it_stands_with_meta(console: Console, engine: Engine, database: Database, lang: str) -> None:
    with engine.begin() as db:
        (number,) = add_numbers(db, 1, name="Official ")
        put_template(db, "order_ready", status="REJECTED")
    database.execute("UPDATE cloud_numbers SET quality = 'GREEN', messaging_limit = 'TIER_1K'")
    for at, kind, severity, details in (
        ("2026-11-03T10:00Z", "quality", "info", '{"event": "UPGRADE", "messaging_limit": "TIER_UNLIMITED"}'),
        ("2026-11-02T10:00Z", "template", "warning", '{"name": "sale", "language": "he", "event": "PAUSED"}'),
        ("2026-11-04T10:00Z", "restricted", "serious", '{"types": ["A_B"], "until": "2026-11-09T10:00:00+00:00"}'),
    ):
        database.execute(
            "INSERT INTO alerts (device_id, event_id, at, kind, severity, details)"
            " VALUES (:number, :at, CAST(:at AS timestamptz), :kind, :severity, CAST(:details AS jsonb))",
            **{"number": number, "at": at, "kind": kind, "severity": severity, "details": details},
        )
    page = console("devices", device=number, lang=lang).fine()
    if lang == "he":
        return
    assert {"Quality": "High", "New people a day": "1,000"}.items() <= page.figures.items()
    assert not {"Scan QR code", "Log out…", "Disconnect…", "Restart"} & set(page.buttons)
    newest, oldest = (page.words.index(words) for words in ("**Serious** · Meta has restricted", "The quality of"))
    assert newest < oldest
    assert "A B" in page.words
    assert "until 9 Nov, 10:00" in page.words
    assert "No limit a day" in page.words
    assert "sale · Hebrew · Paused by Meta" in page.words
    assert "connected for" not in page.words
    assert list(page.app.dataframe[0].value.iloc[0]) == [
        "order_ready",
        "English",
        "Utility",
        "Rejected",
    ]


def test_without_the_apps_secret_it_warns_that_receipts_do_not_arrive(
    console: Console, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine.begin() as db:
        (number,) = add_numbers(db, 1)
    monkeypatch.setenv("CLOUD_APP_SECRET", "secret")
    page = console("devices", device=number).fine()
    assert "do not arrive" not in page.words
    assert "/webhooks/cloud" in page.words


def test_a_warning_stands_where_the_apps_secret_is_missing(console: Console, engine: Engine) -> None:
    with engine.begin() as db:
        (number,) = add_numbers(db, 1)
    page = console("devices", device=number).fine()
    assert "`CLOUD_APP_SECRET` is not set" in page.words
    assert "It is not set now." in page.words  # the word for the webhooks' address
    assert "`CLOUD_APP_SECRET` is not set" in form(console).words


def test_its_pace_is_in_messages_a_second(console: Console, engine: Engine, database: Database) -> None:
    with engine.begin() as db:
        (number,) = add_numbers(db, 1)
    page = console("devices", device=number).fine()
    rate = page.app.number_input[0]
    assert (rate.label, rate.value) == ("Most messages a second", 80.0)
    page.press("Save").fine()
    assert database.one("SELECT count(*) FROM audit") == 0
    page.app.number_input[0].set_value(250.0)
    page.press("Save").fine()
    assert database.one("SELECT min_gap_s FROM devices") == pytest.approx(0.004)
    assert page.app.number_input[0].value == 250.0


def test_a_refused_token_is_replaced(console: Console, graph: Graph, engine: Engine, database: Database) -> None:
    number = graph.add_number(token="old")
    page = form(console)
    fill(page, name="Sales 1", number=number.id, business=number.business_id, token="old")
    page.press("Ask Meta and add it").fine()
    graph.set(number.id, token="new")
    database.execute("UPDATE devices SET can_send = false, connected = false, state = 'token_refused'")
    database.execute("UPDATE cloud_numbers SET quality = 'GREEN', messaging_limit = 'TIER_1K'")
    reading.expire()
    before = bytes(database.one("SELECT sealed_token FROM cloud_numbers"))
    listed = console("devices").fine()
    assert "Give it a new token" in listed.words
    assert "quality: High · new people a day: 1,000" in listed.words
    page = console("devices", device=database.one("SELECT id FROM devices")).fine()
    assert next(part for part in page.app.expander if "token" in part.label).proto.expanded
    page.app.text_input(f"new token {database.one('SELECT id FROM devices')}").input("wrong")
    page.press("Ask Meta and replace it").fine()
    assert "Meta does not take this number with this token" in page.words
    assert bytes(database.one("SELECT sealed_token FROM cloud_numbers")) == before
    page.app.text_input(f"new token {database.one('SELECT id FROM devices')}").input("new")
    page.press("Ask Meta and replace it").fine()
    assert bytes(database.one("SELECT sealed_token FROM cloud_numbers")) != before
    assert database.one("SELECT count(*) FROM audit WHERE action = 'replace_token' AND who = 'console'") == 1


def test_templates_are_synchronised_by_a_press(console: Console, graph: Graph, database: Database) -> None:
    number = graph.add_number()
    page = form(console)
    fill(page, name="Sales 1", number=number.id, business=number.business_id, token=number.token)
    page.press("Ask Meta and add it").fine()
    assert "No template yet" in page.words
    graph.add_template(number.business_id, "order_ready", "en", BODY, status="PENDING")
    page.press("Synchronise templates").fine()
    assert page.app.dataframe[0].value["Status"].tolist() == ["Meta is looking at it"]
    assert "The templates are as Meta has them now." in page.words
    graph.trouble(number.business_id, "refuse:190")
    page.press("Synchronise templates").fine()
    assert "Meta did not give its templates" in page.words
    assert database.one("SELECT count(*) FROM templates") == 1


def test_when_the_database_is_away_the_last_figures_stay(
    console: Console, engine: Engine, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PATIENCE_S", 0.1)
    with engine.begin() as db:
        (number,) = add_numbers(db, 1)
    page = console("devices", device=number)
    reading.expire()
    with away(postgres, engine):
        page.run().fine()
        assert "the database does not answer" in page.words
        assert "Nothing so far." in page.words
