"""The machine room over a real database: the verdict first, never a well that is not known, and who did what."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from opening import Opened, away
from people import add_devices, workspace
from placing import begin_next, place_campaign, place_message, use_devices
from sqlalchemy import Engine, text

from console import reading
from console.parts.faults import TOLD
from domain.faults import Fault
from local.postgres import EmbeddedPostgres
from services import audit, processes, queue_reports, system_views
from services.processes import Process

Console = Callable[..., Opened]

WELL = "All is well"
FACTS = {
    "queues": [{"name": "sends", "waiting": 1234, "delayed": 0, "dead": 0}],
    "dead_letters": [{"queue": "upkeep", "actor": "gone_actor", "arguments": [7], "at": "2026-11-20T08:15:00+00:00"}],
    "memory_used": 4_404_019,
    "memory_limit": 0,
    "memory_policy": "noeviction",
    "redis_version": "6.2.9",
}


def staffed(engine: Engine) -> None:
    with engine.begin() as db:
        workspace(db)
        processes.report(db, Process("here:1", "dispatcher", 1), leads=True, first=True)
        processes.report(db, Process("a worker", "worker", 16), leads=False, first=True)
        queue_reports.write(db, {**FACTS, "queues": [{**FACTS["queues"][0], "waiting": 0}]})  # type: ignore[dict-item]


def table(page: Opened, column: str) -> list[str]:
    """The first table with this column."""
    found = next(table.value for table in page.app.table if column in table.value)
    return list(found[column])


@pytest.mark.parametrize("lang", ["en", "he"])
def test_an_empty_house_is_not_called_well(console: Console, lang: str) -> None:
    page = console("system", lang=lang).fine()
    assert WELL not in page.words
    if lang == "en":
        assert "no dispatcher is at work" in page.words
        assert "no worker is at work" in page.words
        assert "No dispatcher has reported the queues yet." in page.words
        assert page.figures["Lateness, 5 min"] == "No sends"


@pytest.mark.parametrize("lang", ["en", "he"])
def test_who_runs_and_what_each_does(console: Console, engine: Engine, lang: str) -> None:
    staffed(engine)
    with engine.begin() as db:
        processes.report(db, Process("gone:9", "worker", 16), leads=False, first=True)
        db.execute(text("UPDATE processes SET seen_at = seen_at - interval '1 minute' WHERE id = 'gone:9'"))
        (device,) = add_devices(db, 1)
        campaign = place_campaign(db, title="November promo")
        use_devices(db, campaign, device)
        place_message(db, campaign, device_id=device)
        assert begin_next(db, device) is not None
    page = console("system", lang=lang).fine()
    if lang == "en":
        assert WELL in page.words
        dispatcher, busy, gone = table(page, "What it does")
        assert (dispatcher, busy) == ("Hands out the work", "Sends 1 message: device1 for November promo")
        assert gone.startswith("Gone; last seen")
        assert table(page, "Queue") == ["Sending"]
        assert table(page, "Job") == [r"gone\_actor"]
        assert "Redis uses 4.2 MB; it has no limit." in page.words
        assert table(page, "Bridge") == ["Default (BRIDGE_URL)"]
        assert "Redis 6.2.9" in page.words.replace("\\", "")


def test_what_is_wrong_comes_first_with_what_to_do(console: Console, engine: Engine) -> None:
    staffed(engine)
    with engine.begin() as db:
        add_devices(db, 1)
        db.execute(text("UPDATE bridges SET away_since = now(), error_code = 'bridge_secret'"))
        queue_reports.redis_away(db)
    page = console("system").fine()
    assert WELL not in page.words
    assert page.words.index("Redis does not answer") < page.words.index("A bridge to WhatsApp does not answer")
    assert "Away since" in page.words
    assert table(page, "Waiting") == ["0"]  # the last figures stay
    assert "The bridge refused our secret" in table(page, "State")[0]


def test_every_fault_has_its_words() -> None:
    assert set(TOLD) == set(Fault)


def test_who_did_what_page_by_page(console: Console, engine: Engine) -> None:
    with engine.begin() as db:
        (device,) = add_devices(db, 1)
        for _ in range(system_views.AUDIT_PAGE):
            audit.write(db, workspace(db), "console: Dana", "change_device", f"device:{device}")
        audit.write(db, workspace(db), "api", "delete_device", "device:999", {"name": "Gone"})
    page = console("system").fine()
    trail = page.app.dataframe[0].value
    assert list(trail.iloc[0])[1:] == ["API", "Deleted a phone", "Gone"]
    assert list(trail.iloc[1])[1:] == ["Dana", "Changed a phone", "device1"]
    assert len(trail) == system_views.AUDIT_PAGE
    older = console("system", before=2).fine().app.dataframe[0].value
    assert list(older.iloc[0])[1:] == ["Dana", "Changed a phone", "device1"]
    assert len(older) == 1
    assert "9" * 30 not in console("system", before="9" * 30).fine().words


def test_when_the_database_is_away_the_last_figures_stay(
    console: Console, engine: Engine, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PATIENCE_S", 0.1)
    staffed(engine)
    page = console("system")
    assert WELL in page.words
    reading.expire()
    with away(postgres, engine):
        page.run().fine()
        assert "the database does not answer" in page.words
        assert table(page, "Queue") == ["Sending"]
