"""A campaign of official numbers: its template, what WhatsApp has and has not told of, and what it tells later."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from cloud_numbers import add_numbers
from opening import Opened
from placing import place_campaign, place_message, use_devices
from sqlalchemy import Engine, text

Console = Callable[..., Opened]


def place_template(engine: Engine) -> int:
    """A campaign by template: WhatsApp has one message, and has told of another both that it was sent and that it failed."""
    filling = {
        "name": "order_ready",
        "language": "en",
        "components": [{"type": "BODY", "text": "Hello {{1}}"}, {"type": "FOOTER", "text": "The shop"}],
        "values": {"body.1": "{name|there}"},
        "media_id": None,
    }
    with engine.begin() as db:
        (number,) = add_numbers(db, 1)
        campaign = place_campaign(db, template=json.dumps(filling), message="Hello {name|there}\n\n_The shop_")
        use_devices(db, campaign, number)
        held = {"device_id": number, "attempts": ["begun"]}
        accepted = db.execute(text("SELECT clock_timestamp()")).scalar_one()
        place_message(db, campaign, "processing", name="Dana", slot=None, accepted_at=accepted, **held)
        place_message(db, campaign, "sent", name="Avi", device_id=number, attempts=["sent"])
        db.execute(text("UPDATE attempts SET error_code = 'undeliverable', proof = 'receipt' WHERE outcome = 'sent'"))
    return campaign


@pytest.mark.parametrize("lang", ["en", "he"])
def test_a_campaign_by_template_is_shown_as_what_it_is(console: Console, engine: Engine, lang: str) -> None:
    page = console("campaign", campaign=place_template(engine), tab="message", lang=lang).fine()
    shown = " ".join(part.proto.body for part in page.app.get("html"))
    for words in ("Hello {name|there}", "Hello Dana", "Hello Avi", "The shop"):
        assert f">{words}</div>" in shown
    if lang == "en":
        assert r"**order\_ready · English**" in page.words


def test_what_whatsapp_has_and_not_told_of_is_under_way(console: Console, engine: Engine) -> None:
    campaign = place_template(engine)
    with engine.begin() as db:
        dana, avi = db.execute(text("SELECT id FROM messages ORDER BY id")).scalars()
    page = console("campaign", campaign=campaign, tab="recipients", message=dana).fine()
    assert page.figures["Pending"] == "1"
    assert "WhatsApp has it, and has not told yet what came of it." in page.words
    page = console("campaign", campaign=campaign, tab="recipients", message=avi).fine()
    assert "sent; WhatsApp also reported: WhatsApp cannot deliver to this person" in page.words


def test_what_meta_said_itself_is_told_besides_our_words_for_it(console: Console, engine: Engine) -> None:
    told = {"error_code": "undeliverable", "error_reason": "Message undeliverable"}  # our words have a colon, too
    with engine.begin() as db:
        (number,) = add_numbers(db, 1)
        campaign = place_campaign(db, "partial")
        message = place_message(db, campaign, "failed", device_id=number, attempts=["not_sent"], **told)
    page = console("campaign", campaign=campaign, tab="recipients", message=message).fine()
    assert "In its own words: Message undeliverable" in page.words


def test_nobody_is_asked_to_decide_while_whatsapp_may_still_tell(console: Console, engine: Engine) -> None:
    with engine.begin() as db:
        (number,) = add_numbers(db, 1)
        campaign = place_campaign(db)
        use_devices(db, campaign, number)
        place_message(db, campaign, "unknown", device_id=number, attempts=["unknown"], error_code="send_timeout")
    page = console("campaign", campaign=campaign).fine()
    assert "WhatsApp may still tell about 1 of them, so nobody has to decide yet." in page.words
    assert "please decide" not in page.words
