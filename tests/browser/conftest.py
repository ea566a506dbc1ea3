"""The console in a real browser, over real processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from fleet import Fleet
from playwright.sync_api import Browser, sync_playwright
from visiting import Visit, visit

from local import chromium


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium.find()
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=chromium.arguments())
        yield launched
        launched.close()


@pytest.fixture
def visiting(browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Visits to a fleet's console, each with cookies of its own; pictures of those that are open when a test fails."""
    visits: list[Visit] = []

    def make(fleet: Fleet, *, width: int = 1440, height: int = 900, entered: bool = True) -> Visit:
        visits.append(visit(browser, fleet, width=width, height=height, entered=entered))
        return visits[-1]

    yield make
    for made in visits:
        made.close()
