"""The chart of the overview: what it shows, how far back, and how much of it is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from opening import Opened
from people import workspace
from sqlalchemy import Engine, text

Console = Callable[..., Opened]


@pytest.fixture
def minute(engine: Engine) -> datetime:
    """The minute that has begun; 20 minutes before it 40 were sent and 2 failed."""
    with engine.begin() as db:
        begun: datetime = db.execute(text("SELECT date_trunc('minute', clock_timestamp())")).scalar_one()
        db.execute(
            text("INSERT INTO minute_counts VALUES (:at, :workspace, 0, 40, 2)"),
            {"at": begun - timedelta(minutes=20), "workspace": workspace(db)},
        )
        db.execute(text("INSERT INTO marks VALUES ('minutes', :at)"), {"at": begun})
        db.execute(text("UPDATE workspaces SET time_zone = 'Asia/Jerusalem'"))
    return begun


def seen(page: Opened) -> Opened:
    """A moment later the chart is there."""
    assert page.fine().app.get("plotly_chart") == []
    return page.run().fine()


def bars(page: Opened) -> list[dict[str, Any]]:
    """The rows of the chart, from above."""
    (chart,) = page.app.get("plotly_chart")
    found: list[dict[str, Any]] = json.loads(chart.proto.spec)["data"]
    return found


@pytest.mark.parametrize("lang", ["en", "he"])
def test_it_shows_what_was_sent_and_what_failed(console: Console, minute: datetime, lang: str) -> None:
    page = seen(console(lang=lang))
    sent, failed = bars(page)
    assert "pattern" in failed["marker"]
    assert "pattern" not in sent["marker"]
    if lang == "en":
        assert (sent["name"], failed["name"]) == ("Sent per minute", "Failed per minute")
    place = sent["y"].index(40)
    assert sum(sent["y"]) == 40
    assert failed["y"][place] == sum(failed["y"]) == 2
    assert len(sent["y"]) == 60
    # As the clock on the wall of the workspace shows it, two hours ahead of UTC in winter and three in summer
    wall = datetime.fromisoformat(sent["x"][place])
    assert wall - (minute - timedelta(minutes=20)).replace(tzinfo=None) in (timedelta(hours=2), timedelta(hours=3))


@pytest.mark.parametrize(("hours", "most"), [("6", 40 / 5), ("24", 40 / 15), ("7", 40), ("x", 40)])
def test_how_far_back_it_goes_is_in_the_address(console: Console, minute: datetime, hours: str, most: float) -> None:
    assert max(bars(seen(console(hours=hours)))[0]["y"]) == pytest.approx(most)


def test_nothing_is_said_of_what_was_not_counted(console: Console, engine: Engine) -> None:
    page = seen(console())
    assert page.app.get("plotly_chart") == []
    assert "Nothing was counted yet." in page.words
    with engine.begin() as db:
        db.execute(text("INSERT INTO marks VALUES ('minutes', clock_timestamp() - interval '30 minutes')"))
    assert "what was sent after that is not known yet" in seen(console(hours=6)).words
