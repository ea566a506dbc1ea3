"""Each page on a phone, and mirrored for those who read from right to left, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cloud_content import PICTURE, asked, put_template
from cloud_numbers import add_numbers
from fleet import Fleet
from people import add_devices, phones, workspace
from placing import place_campaign, place_message, use_devices
from playwright.sync_api import Locator, expect
from standing import add_draft
from visiting import Visit, Visiting

from services import drafts

PHONE_PX = 390
CAMPAIGN, DRAFT, BY_TEMPLATE, NUMBER = 1, 2, 3, 3

# Where each piece of a page that reads like a number stands: its first sign, and its last, from the left.
NUMBERS = """() => {
  const found = [], walker = document.createTreeWalker(document.querySelector('[data-testid=stMain]'), 4);
  const left = (node, at) => {
    const range = document.createRange();
    range.setStart(node, at); range.setEnd(node, at + 1);
    return range.getBoundingClientRect().left;
  };
  while (walker.nextNode()) {
    const match = /\\+972[\\d -]+\\d/.exec(walker.currentNode.data);
    if (match && walker.currentNode.parentElement.checkVisibility())
      found.push([left(walker.currentNode, match.index), left(walker.currentNode, match.index + match[0].length - 1)]);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def fleet(start_fleet: Callable[..., Fleet]) -> Fleet:
    made = start_fleet("console")
    with made.engine.begin() as db:
        ready, away = *add_devices(db, 1), *add_devices(db, 1, can_send=False, name="A phone with a rather long name ")
        campaign = place_campaign(db, "partial", title="November promo")
        assert campaign == CAMPAIGN
        use_devices(db, campaign, ready, away)
        for number, state, outcome in ((0, "read", "read"), (1, "failed", "not_sent"), (2, "unknown", "unknown")):
            more = {"phone": phones(3)[number], "name": "Dana", "unknown_at": "2026-11-03T10:00:00Z"}
            place_message(db, campaign, state, device_id=ready, attempts=[outcome], **more)
        (number,) = add_numbers(db, 1)
        assert number == NUMBER
        put_template(db, "order_ready", PICTURE)
    assert add_draft(made, phones(4, start=10), title="Everything that is new in December") == DRAFT
    assert add_draft(made, phones(4, start=20), title="By template") == BY_TEMPLATE
    with made.engine.begin() as db:
        drafts.change(db, workspace(db), BY_TEMPLATE, {"template": asked("order_ready")})
    return made


PAGES: list[tuple[str, dict[str, Any], str]] = [
    ("campaign", {"campaign": CAMPAIGN}, "Retry 1 safe one"),
    ("campaigns", {}, "New campaign"),
    ("new", {"draft": DRAFT, "step": "people"}, "Next: Message"),
    ("new", {"draft": DRAFT, "step": "message"}, "Next: When and pace"),
    ("new", {"draft": DRAFT, "step": "pace"}, "Next: Check"),
    ("new", {"draft": DRAFT, "step": "check"}, "Launch to 4 people"),
    ("devices", {}, "Add a phone"),
    ("devices", {"device": 1}, "Save"),
    ("devices", {"device": NUMBER}, "Synchronise templates"),
    ("devices", {"add": 1}, "Add a phone"),
    ("new", {"draft": BY_TEMPLATE, "step": "message"}, "Next: When and pace"),
    ("new", {"draft": BY_TEMPLATE, "step": "check"}, "Fix"),
    ("search", {"phone": phones(1)[0]}, "Find"),
    ("system", {}, "Stop all sending"),
]


def test_on_a_phone_no_page_is_cut_off_and_its_main_button_is_in_reach(fleet: Fleet, visiting: Visiting) -> None:
    visit = visiting(fleet, width=PHONE_PX, height=844)
    for page, parameters, name in PAGES:
        visit.open(page, **parameters)
        main = visit.page.get_by_test_id("stMain")
        button = main.get_by_role("button", name=name, exact=True).or_(main.get_by_role("link", name=name)).first
        expect(button).to_be_visible()
        left, right = sides(button)
        assert left >= 0, (page, parameters, name)
        assert right <= PHONE_PX, (page, parameters, name)
        assert not visit.overflows, (page, parameters)


def test_in_hebrew_pages_are_mirrored_and_phone_numbers_are_not(fleet: Fleet, visiting: Visiting) -> None:
    visit = visiting(fleet)
    for page, parameters in (
        ("campaign", {"campaign": CAMPAIGN}),
        ("new", {"draft": DRAFT, "step": "message"}),
        ("new", {"draft": DRAFT, "step": "check"}),
        ("new", {"draft": BY_TEMPLATE, "step": "message"}),
    ):
        english, hebrew = (on_the_left(visit.open(page, lang=lang, **parameters)) for lang in ("en", "he"))
        assert english is not hebrew, (page, parameters)
        numbers = visit.page.evaluate(NUMBERS)
        assert numbers, (page, parameters)
        assert all(first < last for first, last in numbers), (page, parameters)


def on_the_left(visit: Visit) -> bool:
    """Whether the page's main button is in its left half."""
    main = visit.page.get_by_test_id("stMain")
    button = main.locator("button[kind=primary]").first
    expect(button).to_be_visible()
    return sum(sides(button)) < sum(sides(main))


def sides(part: Locator) -> tuple[float, float]:
    """Where a part of the page begins and ends, in pixels from the left."""
    box = part.bounding_box()
    assert box is not None
    return box["x"], box["x"] + box["width"]
