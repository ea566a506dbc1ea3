"""The console in a real browser, over real processes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

sys.path.append(str(Path(__file__).parents[1] / "cloud"))

from databases import database
from fleet import Fleet
from playwright.sync_api import Browser, sync_playwright
from visiting import Visit, Visiting, visit

from local import chromium
from local.postgres import EmbeddedPostgres
from local.redis import EmbeddedRedis


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for each file: while it stands, this thread has a running event loop, which other tests bring themselves."""
    path = chromium.find()
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=chromium.arguments())
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def start_fleet(
    postgres: EmbeddedPostgres, template: str, redis_server: EmbeddedRedis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Fleet]]:
    """Starts one fleet for all tests of a file, over a database of its own; each test brings people of its own."""
    fleets: list[Fleet] = []
    with database(postgres.url, "browser", template=template) as url:

        def start(*names: str, **settings: Any) -> Fleet:
            redis.Redis.from_url(redis_server.url).flushall()
            fleets.append(Fleet(tmp_path_factory.mktemp("browser") / "fleet", url, redis_server.url, **settings))
            return fleets[-1].start(*names)

        yield start
        for fleet in fleets:
            fleet.stop()


@pytest.fixture
def visiting(browser: Browser, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Visiting]:
    """Visits to a fleet's console, each with cookies of its own; pictures of those that are open when a test fails."""
    visits: list[Visit] = []
    failed_before = request.session.testsfailed

    def make(fleet: Fleet, *, width: int = 1440, height: int = 900, entered: bool = True) -> Visit:
        visits.append(visit(browser, fleet, width=width, height=height, entered=entered))
        return visits[-1]

    yield make
    for number, made in enumerate(visits):
        if request.session.testsfailed > failed_before and not made.page.is_closed():
            made.page.screenshot(path=tmp_path / f"visit-{number}.png", full_page=True)
        made.close()
