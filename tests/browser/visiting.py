"""What a person does in the console, in the words of Playwright."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from fleet import SECRETS, Fleet
from playwright.sync_api import Browser, Locator, expect

QUIET = "[data-testid=stApp][data-test-script-state=notRunning]"
DRAWN = f"{QUIET} [data-testid=stHeading]"  # before its first run a page is quiet, too, but has no title
PRESS_MS = 60  # as long as a finger's: a page that is drawn anew under a press of no time loses it
WITHIN_MS = 30_000

ROW_PX = 33  # of a table, its head too

expect.set_options(timeout=WITHIN_MS)


class Visit:
    """One person at one browser."""

    def __init__(self, browser: Browser, fleet: Fleet, *, width: int, height: int) -> None:
        self.url = fleet.console_url
        self.context = browser.new_context(viewport={"width": width, "height": height})
        self.context.set_default_timeout(WITHIN_MS)
        self.page = self.context.new_page()

    def open(self, page: str = "", **parameters: Any) -> Visit:
        """Open a page by its address, and wait until it is drawn."""
        query = f"?{urlencode(parameters)}" if parameters else ""
        self.page.goto(f"{self.url}/{page}{query}")
        return self.quiet()

    def enter(self) -> Visit:
        """Give the password."""
        field = self.page.locator("input[type=password]")
        field.fill(SECRETS["CONSOLE_PASSWORD"])
        with self.page.expect_response("**/enter"):
            field.press("Enter")
        expect(self.page.get_by_test_id("stSidebar")).to_be_attached()
        return self.quiet()

    def quiet(self) -> Visit:
        """Wait until the page is drawn."""
        self.page.wait_for_selector(DRAWN)
        return self

    def press(self, name: str) -> Visit:
        """Press the button with this name, once the page stands still: what loads late pushes a button from under it."""
        self.quiet()
        expect(self.page.get_by_test_id("stSkeleton")).to_have_count(0)
        self.button(name).click(delay=PRESS_MS)
        return self.quiet()

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def sees(self, *texts: str) -> Visit:
        """Wait until all of these texts are on the page."""
        for text in texts:  # a table has its words twice, and the others are for those who do not see it
            expect(self.page.get_by_text(text).filter(visible=True).first).to_be_visible()
        return self

    def sees_not(self, text: str) -> Visit:
        """Wait until this text is gone from the page."""
        expect(self.page.get_by_text(text)).to_have_count(0)
        return self

    def link(self, name: str) -> Locator:
        return self.page.get_by_role("link", name=name)

    def follow(self, name: str) -> Visit:
        """Follow the link with this name."""
        self.link(name).click()
        return self.quiet()

    def arrives(self, page: str) -> Visit:
        """Wait until the visit is on this page."""
        self.page.wait_for_url(lambda url: urlsplit(url).path == f"/{page}")
        return self.quiet()

    def parameter(self, name: str) -> str | None:
        """What stands in the address under this name."""
        return parse_qs(urlsplit(self.page.url).query).get(name, [None])[0]

    def choose_row(self, row: int) -> Visit:
        """Press the box of a row of the page's table, counted from 1."""
        self.page.get_by_test_id("stDataFrame").click(position={"x": 15, "y": ROW_PX * row + 16})
        return self.quiet()

    def rows(self) -> list[str]:
        """What stands in the rows of the page's table that are in sight."""
        rows = self.page.get_by_test_id("stDataFrame").locator("tbody [role=row]")
        expect(rows.first).to_be_attached()
        return rows.all_text_contents()

    def stays_open(self) -> Callable[[], bool]:
        """Asks later whether the page is still the one that was loaded now."""
        self.page.evaluate("() => { window.loaded = true }")
        return lambda: bool(self.page.evaluate("() => window.loaded === true"))

    def figure(self, label: str) -> Locator:
        """The value of a figure; while the page is drawn anew the old one can be there as well."""
        return self.page.get_by_test_id("stMetric").filter(has_text=label).get_by_test_id("stMetricValue").first

    @property
    def overflows(self) -> bool:
        """Whether the page is wider than the screen, so that one would have to scroll sideways."""
        return bool(
            self.page.evaluate(
                "() => { const main = document.querySelector('[data-testid=stMain]');"
                " return main.scrollWidth > main.clientWidth + 1 || document.body.scrollWidth > innerWidth + 1 }"
            )
        )

    def close(self) -> None:
        self.context.close()


Visiting = Callable[..., Visit]


def visit(browser: Browser, fleet: Fleet, *, width: int, height: int, entered: bool) -> Visit:
    """Come to the console, past the gate unless ``entered`` is False."""
    made = Visit(browser, fleet, width=width, height=height).open()
    return made.enter() if entered else made
