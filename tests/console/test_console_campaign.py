"""One campaign's page over a real database: each tab in both languages, its buttons, its list that does not move."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from opening import Opened, away
from people import add_devices, workspace
from placing import place_campaign, place_message, use_devices
from sqlalchemy import Connection, Engine, text

from console import reading, writing
from local.postgres import EmbeddedPostgres
from services import control
from services.suppress import suppress

Console = Callable[..., Opened]
OPTED_OUT = "+972502999999"


def place_many(db: Connection, status: str = "partial") -> int:
    """A campaign with people in every state that an ended one can have."""
    (device,) = add_devices(db, 1, name="Phone ")
    campaign = place_campaign(db, status, title="November *promo*", message="Hello {name|there}")
    use_devices(db, campaign, device)

    def place(state: str, outcome: str, **more: Any) -> None:
        place_message(db, campaign, state, device_id=device, attempts=[outcome], **more)

    for name in ("Dana", "נועה"):
        place("delivered", "delivered", name=name)
    place("read", "read")
    place("failed", "not_sent", name="Avi", error_code="not_on_whatsapp", error_reason="no such user")
    place("failed", "not_sent", error_code="not_connected")
    place("failed", "not_sent", error_code="not_connected", phone=OPTED_OUT)
    place("unknown", "unknown", name="Noa", error_code="no_answer", unknown_at="2026-11-03T10:00:00Z")
    suppress(db, workspace(db), OPTED_OUT, reason="opt_out", proof="wrote STOP")
    return campaign


@pytest.fixture
def campaign(engine: Engine) -> int:
    with engine.begin() as db:
        return place_many(db)


def address(page: Opened) -> dict[str, str]:
    """What the address says besides the campaign and the language."""
    given = {name: page.app.query_params[name] for name in page.app.query_params if name not in ("campaign", "lang")}
    return {name: value if isinstance(value, str) else value[0] for name, value in given.items()}


def at(page: Opened, **parameters: object) -> Opened:
    """The same session at another place of the campaign."""
    for name in address(page):
        del page.app.query_params[name]
    for name, value in parameters.items():
        page.app.query_params[name] = str(value)
    return page.run().fine()


def table(page: Opened) -> Any:
    (found,) = page.app.dataframe
    return found.value


def status_of(engine: Engine, name: str) -> str:
    with engine.begin() as db:
        return str(db.execute(text("SELECT status FROM messages WHERE name = :name"), {"name": name}).scalar_one())


@pytest.mark.parametrize("lang", ["en", "he"])
def test_every_tab_is_drawn(console: Console, engine: Engine, campaign: int, lang: str) -> None:
    with engine.begin() as db:
        control.retry(db, campaign, who="console: Dana", codes=["not_connected"])
    page = console("campaign", campaign=campaign, lang=lang).fine()
    for tab in ("recipients", "devices", "timeline", "message", "failures"):
        at(page, tab=tab)
        if lang == "he":
            continue
        if tab == "recipients":
            assert list(table(page)["Name"]) == ["Dana", "נועה", "", "Avi", "", "", "Noa"]
            assert "This number is not on WhatsApp" in list(table(page)["Reason"])
        elif tab == "devices":
            assert table(page).iloc[0].to_dict() | {"name": ""} == {
                **{"name": "", "total": 7, "pending": 1, "sent": 3, "failed": 2, "unknown": 1}
            }
        elif tab == "timeline":
            told = page.app.table[0].value
            assert ["1 message queued again: Our phone was not connected to WhatsApp", "Dana"] in told[
                ["What", "Who"]
            ].to_numpy().tolist()
        elif tab == "message":
            assert "Dana" in page.words


def test_what_came_of_it_is_never_a_bare_finished(console: Console, campaign: int) -> None:
    page = console("campaign", campaign=campaign).fine()
    assert page.figures == {"Pending": "0", "Sent": "3", "Delivered": "3", "Read": "1", "Failed": "3", "In doubt": "1"}
    assert "Finished: 4 not delivered · 1 of them may have arrived" in page.words
    assert r"November \*promo\*" in page.words
    assert "**2** · Our phone was not connected to WhatsApp" in page.words
    assert "**1** · This number is not on WhatsApp" in page.words
    assert "1 message in doubt: please decide" in page.words


def test_no_campaign_looks_well_while_nobody_sends(console: Console, engine: Engine, campaign: int) -> None:
    with engine.begin() as db:
        running = place_campaign(db, "running")
        place_message(db, running, "queued", device_id=1)
    assert "Nothing is sent: no worker is at work." in console("campaign", campaign=running).fine().words
    assert "no worker" not in console("campaign", campaign=campaign).fine().words


def test_only_the_safe_ones_are_retried_and_the_button_says_how_many(
    console: Console, engine: Engine, campaign: int
) -> None:
    page = console("campaign", campaign=campaign)
    assert "Retry 1 safe one" in page.buttons  # not whoever opted out since
    assert "Retry 1" in page.buttons
    page.press("retry").fine()
    with engine.begin() as db:
        rows = db.execute(text("SELECT error_code, status FROM messages WHERE status IN ('queued', 'failed')"))
        assert sorted(map(tuple, rows), key=str) == [
            ("not_connected", "failed"),
            ("not_on_whatsapp", "failed"),
            (None, "queued"),
        ]
    assert "1 message waits again." in page.words
    assert "Pause" in page.buttons
    assert "retry" not in [button.key for button in page.app.button]


def test_a_figure_and_a_reason_open_their_people(console: Console, campaign: int) -> None:
    page = console("campaign", campaign=campaign).press("show delivered").fine()
    assert address(page) == {"tab": "recipients", "show": "delivered"}
    assert list(table(page)["Status"]) == ["Delivered", "Delivered", "Read"]
    at(page)
    page.press("list not_connected safe").fine()
    assert address(page) == {"tab": "recipients", "show": "missed", "code": "not_connected"}
    assert set(table(page)["Reason"]) == {"Our phone was not connected to WhatsApp"}
    assert len(table(page)) == 2


def test_the_list_does_not_change_under_its_reader(
    console: Console, engine: Engine, campaign: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = console("campaign", campaign=campaign, tab="recipients", show="failed")
    before = table(page)
    with engine.begin() as db:
        (device,) = db.execute(text("SELECT id FROM devices")).one()
        place_message(
            db, campaign, "failed", device_id=device, attempts=["not_sent"], name="Later", error_code="expired"
        )
    reading.expire()
    page.run().fine()
    assert table(page).equals(before)
    assert "1 new result" in page.words
    page.press("refresh").fine()
    assert list(table(page)["Name"]) == [*before["Name"], "Later"]
    assert "new result" not in page.words


def test_pages_of_a_hundred_stand_in_the_address(console: Console, engine: Engine) -> None:
    with engine.begin() as db:
        campaign = place_campaign(db)
        for number in range(201):
            place_message(db, campaign, name=f"Person {number}")
    page = console("campaign", campaign=campaign, tab="recipients")
    assert list(table(page)["Name"][:2]) == ["Person 0", "Person 1"]
    page.press("on").fine()
    assert list(table(page)["Name"][:2]) == ["Person 100", "Person 101"]
    assert set(address(page)) == {"tab", "after"}
    page.press("on").fine()
    assert list(table(page)["Name"]) == ["Person 200"]
    page.press("back").fine()
    assert list(table(page)["Name"][:2]) == ["Person 100", "Person 101"]


def test_a_persons_story_opens_from_the_address(console: Console, engine: Engine, campaign: int) -> None:
    with engine.begin() as db:
        avi = db.execute(text("SELECT id FROM messages WHERE name = 'Avi'")).scalar_one()
    page = console("campaign", campaign=campaign, tab="recipients", message=avi).fine()
    assert "**This number is not on WhatsApp.** Do not retry" in page.words
    assert "In its own words: no such user" in page.words
    assert "Attempt 1" in page.words
    # Also when it is not on this page of the list
    at(page, tab="recipients", show="delivered", message=avi)
    assert "Attempt 1" in page.words


def test_a_doubt_is_decided_one_way_or_the_other(console: Console, engine: Engine, campaign: int) -> None:
    page = console("campaign", campaign=campaign)
    (leave,) = [
        str(button.key)
        for button in page.app.button
        if str(button.key).startswith("leave ") and "list" in str(button.key)
    ]
    page.press(leave).fine()
    assert status_of(engine, "Noa") == "unknown"
    assert "please decide" not in page.words
    assert "Nothing is left to decide about them." in page.words
    with engine.begin() as db:
        db.execute(text("UPDATE messages SET doubt_left_by = NULL"))
    reading.expire()
    page.run()
    page.press(leave.replace("leave", "again")).fine()
    assert status_of(engine, "Noa") == "queued"
    assert "It goes out again." in page.words


def test_all_doubts_are_left_by_one_press(console: Console, engine: Engine, campaign: int) -> None:
    console("campaign", campaign=campaign).press("leave all").fine()
    with engine.begin() as db:
        assert db.execute(text("SELECT count(*) FROM messages WHERE doubt_left_by IS NOT NULL")).scalar_one() == 1


def test_pausing_and_resuming_follow_the_state(
    console: Console, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine.begin() as db:
        campaign = place_campaign(db)
        place_message(db, campaign)
    page = console("campaign", campaign=campaign).press("pause").fine()
    assert "Paused by hand." in page.words
    monkeypatch.setattr(writing, "DOUBLE_CLICK_S", 0.0)  # this press is no second half of the one before
    page.press("resume").fine()
    assert "Pause" in page.buttons
    # Somebody else paused it: the head follows at the next look
    with engine.begin() as db:
        db.execute(text("UPDATE campaigns SET status = 'paused', pause_reason = 'no_device'"))
    reading.expire()
    page.run().fine()
    assert "Paused: no phone can send." in page.words
    assert "Resume" in page.buttons


def test_cancelling_says_what_it_means_before_it_is_done(console: Console, engine: Engine) -> None:
    with engine.begin() as db:
        campaign = place_campaign(db)
        for _ in range(3):
            place_message(db, campaign)
    page = console("campaign", campaign=campaign).press("cancel").fine()
    assert "**3 people will not get it**" in page.words
    with engine.begin() as db:
        assert db.execute(text("SELECT status FROM campaigns")).scalar_one() == "running"


def test_a_copy_is_a_draft(console: Console, engine: Engine, campaign: int) -> None:
    console("campaign", campaign=campaign).press("clone")
    with engine.begin() as db:
        draft = db.execute(text("SELECT title, message FROM campaigns WHERE status = 'draft'")).one()
    assert tuple(draft) == ("November *promo* (Copy)", "Hello {name|there}")


@pytest.mark.parametrize("lang", ["en", "he"])
def test_what_is_not_there_and_what_is_a_draft(console: Console, engine: Engine, lang: str) -> None:
    with engine.begin() as db:
        draft = place_campaign(db, "draft")
    for given in (999, "x", draft):
        page = console("campaign", campaign=given, lang=lang).fine()
        assert page.figures == {}
        if lang == "en":
            assert ("still a draft" if given == draft else "There is no such campaign.") in page.words


@pytest.mark.parametrize("lang", ["en", "he"])
def test_a_campaign_without_people_has_no_false_figures(console: Console, engine: Engine, lang: str) -> None:
    with engine.begin() as db:
        campaign = place_campaign(db, "accepted")
    page = console("campaign", campaign=campaign, lang=lang).fine()
    for tab in ("recipients", "devices", "timeline", "message"):
        at(page, tab=tab)
    if lang == "en":
        assert "Nobody has failed so far." in at(page).words


def test_when_the_database_is_away_the_last_figures_stay_on_each_tab(
    console: Console, engine: Engine, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch, campaign: int
) -> None:
    monkeypatch.setattr(reading, "REST_S", 60.0)
    page = console("campaign", campaign=campaign)
    tabs = ("recipients", "devices", "timeline", "message", "failures")
    for tab in tabs:
        at(page, tab=tab)
    before = page.figures
    reading.expire()
    with away(postgres, engine):
        for tab in tabs:
            at(page, tab=tab)
            assert page.figures == before
            assert "the database does not answer" in page.words
        stranger = console("campaign", campaign=campaign + 1).fine()
        assert stranger.figures == {}
        assert "there are no numbers yet" in stranger.words
    monkeypatch.setattr(reading, "REST_S", 0.0)
    assert page.run().fine().figures == before
    assert "the database does not answer" not in page.words
