"""All campaigns: groups, titles, pages, drafts, in both languages, the database away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from opening import Opened, away
from people import workspace
from placing import place_campaign, place_message
from sqlalchemy import Engine, text

from console import reading
from local.postgres import EmbeddedPostgres
from services import drafts

Console = Callable[..., Opened]


def titles(page: Opened) -> list[str]:
    """What the cards are called, in their order."""
    return [part.value.strip("*\u2068\u2069") for part in page.app.main.markdown if part.value.startswith("**")]


@pytest.mark.parametrize("lang", ["en", "he"])
def test_without_a_campaign_it_says_what_to_do(console: Console, lang: str) -> None:
    page = console("campaigns", lang=lang).fine()
    assert titles(page) == []
    if lang == "en":
        assert "Nothing has been launched yet." in page.words
    for group in ("running", "scheduled", "ended", "drafts"):
        assert titles(console("campaigns", show=group, lang=lang).fine()) == []


@pytest.mark.parametrize("lang", ["en", "he"])
def test_each_campaign_tells_how_it_stands(console: Console, engine: Engine, lang: str) -> None:
    with engine.begin() as db:
        counts = '{"sent": 9, "failed": 2, "unknown": 1, "queued": 8}'
        place_campaign(db, "running", title="Runs", counts=counts)
        place_campaign(
            db, "partial", title="Ended", counts='{"sent": 9, "failed": 1, "cancelled": 5}', finished_at="now()"
        )
        later = place_campaign(db, "scheduled", title="Later", scheduled_at=datetime(2040, 1, 1, 9, tzinfo=UTC))
        for _ in range(3):
            place_message(db, later)
        drafts.create(db, workspace(db), {"title": "Begun"}, who="tests")
    page = console("campaigns", lang=lang).fine()
    assert titles(page) == ["Later", "Ended", "Runs"]
    if lang == "en":
        assert "12 of 20 · 60% · **:orange[3 not delivered]**" in page.words
        assert "9 of 15 reached · **:orange[1 not delivered]** · 5 cancelled" in page.words
        assert "3 people · starts 1 Jan 2040, 09:00" in page.words
        assert "Finished, not everybody reached" in page.words
    draft = console("campaigns", show="drafts", lang=lang).fine()
    assert titles(draft) == ["Begun"]


def test_groups_and_titles_are_in_the_address(console: Console, engine: Engine) -> None:
    with engine.begin() as db:
        for status in ("running", "paused", "completed", "cancelled"):
            place_campaign(db, status, title=f"The {status} 50%_one", counts='{"sent": 1}')
    assert titles(console("campaigns", show="running")) == [r"The paused 50%\_one", r"The running 50%\_one"]
    page = console("campaigns", show="ended", find="COMPL")
    assert titles(page) == [r"The completed 50%\_one"]
    assert page.app.main.text_input[-1].value == "COMPL"
    page.app.main.text_input[-1].input("nothing like it").run()
    assert titles(page.fine()) == []
    assert "No campaign here has “nothing like it” in its title." in page.words
    assert page.app.query_params["find"] == "nothing like it"
    page.app.main.text_input[-1].input("").run()
    assert len(titles(page)) == 2
    assert "find" not in page.app.query_params
    assert titles(console("campaigns", show="what", before="x")) == titles(console("campaigns"))


def test_older_campaigns_are_a_page_further(console: Console, engine: Engine) -> None:
    with engine.begin() as db:
        ids = [place_campaign(db, "completed", title=f"number {number}") for number in range(23)]
    first = console("campaigns")
    assert titles(first) == [f"number {number}" for number in range(22, 2, -1)]
    assert titles(console("campaigns", before=ids[3])) == ["number 2", "number 1", "number 0"]
    assert "There are no older campaigns." in console("campaigns", before=ids[0]).words


def test_cloning_makes_one_draft_and_opens_it(console: Console, engine: Engine) -> None:
    with engine.begin() as db:
        campaign_id = place_campaign(db, "completed", title="Again")
    page = console("campaigns").press(f"clone {campaign_id}").fine()
    with engine.begin() as db:
        (draft,) = drafts.every(db, workspace(db))
    assert draft.title == "Again (Copy)"
    assert page.app.query_params["draft"] == str(draft.id)


def test_a_draft_can_be_deleted(console: Console, engine: Engine) -> None:
    with engine.begin() as db:
        draft_id = drafts.create(db, workspace(db), {"title": "Begun"}, who="tests")
    page = console("campaigns", show="drafts").press(f"delete {draft_id}").fine()
    with engine.begin() as db:
        assert drafts.one(db, workspace(db), draft_id) is None
    assert titles(page) == []


def test_while_the_database_is_away_the_last_list_stays(
    console: Console, engine: Engine, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PATIENCE_S", 0.1)
    with engine.begin() as db:
        place_campaign(db, "running", title="Runs")
    page = console("campaigns")
    reading.expire()
    with away(postgres, engine):
        assert titles(page.run().fine()) == ["Runs"]
        assert "the database does not answer" in page.words
        stranger = console("campaigns", show="ended").fine()
        assert titles(stranger) == []
        assert "there are no numbers yet" in stranger.words


def test_the_list_is_of_this_workspace_only(console: Console, engine: Engine) -> None:
    with engine.begin() as db:
        workspace(db)
        other = db.execute(
            text("INSERT INTO workspaces (name, default_country, time_zone) VALUES ('o', 'IL', 'UTC') RETURNING id")
        ).scalar_one()
        place_campaign(db, "completed", title="Theirs", workspace_id=other)
    assert titles(console("campaigns")) == []
