"""Any number, from anywhere: what is known of it, in both languages, and what is said when nothing is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from opening import Opened, away
from people import add_devices, workspace
from placing import place_campaign, place_message
from sqlalchemy import Engine, text

from console import reading
from local.postgres import EmbeddedPostgres
from services.suppress import suppress

Console = Callable[..., Opened]
PHONE = "+972501234567"


@pytest.mark.parametrize("lang", ["en", "he"])
def test_a_person_with_everything(console: Console, engine: Engine, lang: str) -> None:
    with engine.begin() as db:
        (device,) = add_devices(db, 1)
        campaign = place_campaign(db, "partial", title="November promo")
        failed = place_message(
            db, campaign, "failed", device_id=device, attempts=["not_sent"], phone=PHONE, error_code="not_on_whatsapp"
        )
        place_message(db, None, "read", device_id=device, attempts=["read"], phone=PHONE)
        db.execute(
            text(
                "INSERT INTO leads (workspace_id, phone, name, tags, attributes)"
                " VALUES (:here, :phone, 'Dana', '{vip}', '{\"city\": \"Haifa\"}')"
            ),
            {"here": workspace(db), "phone": PHONE},
        )
        suppress(db, workspace(db), PHONE, reason="opt_out", proof="wrote STOP on 3 November")
    page = console("search", phone="050-123-4567", lang=lang).fine()
    assert "50-123-4567" in page.words
    assert "Haifa" in page.words
    assert "wrote STOP on 3 November" in page.words
    (table,) = page.app.dataframe
    assert len(table.value) == 2
    if lang == "en":
        assert "This person opted out" in page.words
        assert list(table.value["Campaign"]) == ["Single message", "November promo"]
        assert list(table.value["Status"]) == ["Read", "Failed"]
    page = console("search", phone=PHONE, message=failed, lang=lang).fine()
    if lang == "en":
        assert "**This number is not on WhatsApp.**" in page.words


def test_the_one_message_of_a_person_tells_its_story_at_once(console: Console, engine: Engine) -> None:
    with engine.begin() as db:
        place_message(db, place_campaign(db), phone=PHONE)
    page = console("search", phone=PHONE).fine()
    assert "Not tried yet: it waits for its turn." in page.words


@pytest.mark.parametrize("lang", ["en", "he"])
@pytest.mark.parametrize(
    ("phone", "said"),
    [
        ("", "Every campaign, status and reason of one person on one page."),
        ("050-765-4321", "No message was ever sent to this number."),
        ("12", "The number is too short for its country."),
        ("Dana", "This is not a phone number."),
    ],
)
def test_nothing_is_known(console: Console, phone: str, said: str, lang: str) -> None:
    page = console("search", phone=phone, lang=lang).fine()
    assert len(page.app.dataframe) == 0
    if lang == "en":
        assert said in page.words


def test_the_search_of_every_page_leads_here(console: Console) -> None:
    page = console("system")
    page.app.text_input(key="number-anywhere").input("050-765-4321").run()
    assert "No message was ever sent to this number." in page.fine().words


def test_a_number_whose_database_is_away(console: Console, engine: Engine, postgres: EmbeddedPostgres) -> None:
    page = console("search", phone=PHONE).fine()
    reading.expire()
    with away(postgres, engine):
        page.run().fine()
        assert "the database does not answer" in page.words
        assert "No message was ever sent to this number." in page.words
        stranger = console("search", phone="050-765-4321").fine()
        assert "there are no numbers yet" in stranger.words
