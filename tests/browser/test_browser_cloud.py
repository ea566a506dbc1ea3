"""An official number and a campaign by template, in a real browser over all processes, with a fake of Meta's Graph API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fleet import Fleet
from graph import Graph
from graph_world import Number
from playwright.sync_api import Locator, expect
from standing import CLOUD, add_draft, csv
from visiting import Visit, Visiting
from waiting import until

DANA, AVI = "+972501234501", "+972501234502"
GONE = "+972508131026"  # taken by Meta, which then tells that it cannot deliver

TEMPLATE: list[dict[str, Any]] = [
    {"type": "HEADER", "format": "IMAGE"},
    {"type": "BODY", "text": "Hello {{1}}, your order {{2}} is ready."},
    {"type": "FOOTER", "text": "The shop"},
    {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Track it", "url": "https://shop.example/track/{{1}}"}]},
]
UNDELIVERABLE = "WhatsApp cannot deliver to this person: they are not on WhatsApp, or have not accepted its terms"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


@pytest.fixture(scope="module")
def graph() -> Iterator[Graph]:
    with Graph(app_secret=CLOUD["cloud_app_secret"]) as served:
        yield served


@pytest.fixture(scope="module")
def fleet(start_fleet: Callable[..., Fleet], graph: Graph) -> Fleet:
    made = start_fleet(
        "bridge", "api", "worker", "dispatcher", "console", simulator_latency_ms=1, cloud_graph_url=graph.url, **CLOUD
    )
    graph.webhooks.url = f"{made.api_url}/webhooks/cloud"
    return made


@pytest.fixture(scope="module")
def number(graph: Graph) -> Number:
    return graph.add_number(token="the-secret-token")


def test_from_the_number_to_a_campaign_by_template_and_its_receipts(
    fleet: Fleet, visiting: Visiting, graph: Graph, number: Number
) -> None:
    visit = visiting(fleet).open("devices")
    add_number(visit, number)
    visit.sees("Ready", "High", "1,000", "No template yet")
    visit.sees_not("is not set")  # the secret of the webhooks
    assert number.token not in visit.page.content()

    visit.open("new").page.locator("input[type=file]").set_input_files(file("people.csv", csv([DANA, AVI, GONE])))
    visit.sees("3 will receive it").press("Next: Message")
    visit.page.get_by_role("radio", name="Template").click()
    visit.sees("Once Meta has approved one, synchronise.")
    graph.add_template(number.business_id, "order_ready", "en_US", TEMPLATE)
    visit.press("Synchronise templates")
    choose(visit, "Template", "order_ready · English (United States) · Marketing")
    visit.page.locator("input[type=file]").set_input_files(file("hat.png", PNG))
    visit.sees("hat.png")
    place(visit, "{{1}} in the text").fill("{name|there}")
    place(visit, "{{2}} in the text").fill("17")
    visit.sees("Hello Person 1, your order 17 is ready.")  # the field was not left
    put_in(visit, "{{1}} in the address", "{name}")
    visit.sees("https://shop.example/track/Person 1")
    visit.page.reload()
    visit.quiet().sees("Hello Person 1, your order 17 is ready.", "hat.png")
    visit.press("Next: When and pace").sees("here are those that can send this one")
    visit.press("Next: Check").sees("1 of 1 can send now", "order_ready · English (United States)")
    visit.press("Launch to 3 people").arrives("campaign")
    visit.sees("Finished: 1 not delivered", UNDELIVERABLE)
    expect(visit.figure("Read")).to_have_text("2")
    visit.press("Show them").sees("Select a row to see that person's story.")
    visit.choose_row(1).sees(f"not sent: {UNDELIVERABLE} (WhatsApp reported it)")

    received = {person: graph.to(person) for person in (DANA, AVI, GONE)}
    assert {person: len(found) for person, found in received.items()} == {DANA: 1, AVI: 1, GONE: 1}
    assert len(graph.uploads) == 1
    parts = {part["type"]: part["parameters"] for part in received[AVI][0].payload["template"]["components"]}
    assert [value["text"] for value in parts["body"]] == ["Person 2", "17"]
    assert [value["text"] for value in parts["button"]] == ["Person 2"]


def test_free_text_is_refused_with_the_count_of_whom_it_cannot_reach(
    fleet: Fleet, visiting: Visiting, graph: Graph, number: Number
) -> None:
    draft_id = add_draft(fleet, [DANA, AVI, GONE], title="Free text")
    visit = visiting(fleet).open("new", draft=draft_id, step="check")
    visit.sees("3 people have not written to these numbers within 24 hours")
    expect(visit.button("Launch to 3 people")).to_be_disabled()
    graph.write(number.id, DANA)
    graph.write(number.id, AVI)
    until(lambda: says_anew(visit, "1 person has not written to these numbers within 24 hours"), "two were heard")
    visit.press("Fix").sees("A template reaches everybody.")
    assert fleet.one("SELECT status FROM campaigns WHERE id = :id", id=draft_id) == "draft"


def add_number(visit: Visit, number: Number) -> None:
    """Add an official number and come to its page."""
    visit.press("Add a phone")
    dialog = visit.page.get_by_role("dialog")
    dialog.get_by_text("Official number").click()
    visit.sees("Phone number ID")
    given = {
        "Name": "Sales 1",
        "Phone number ID": number.id,
        "WhatsApp Business Account ID": number.business_id,
        "Access token": number.token,
    }
    for label, value in given.items():
        dialog.get_by_label(label, exact=True).fill(value)
    dialog.get_by_role("button", name="Ask Meta and add it").click()
    visit.page.wait_for_url("**/devices?device=*")
    visit.quiet()


def says_anew(visit: Visit, words: str) -> bool:
    """Whether the page says so once it is loaded again."""
    visit.page.reload()
    return visit.quiet().page.get_by_text(words).count() > 0


def choose(visit: Visit, label: str, option: str) -> None:
    """Choose in the box with this label."""
    visit.page.get_by_test_id("stSelectbox").filter(has_text=label).first.get_by_role("combobox").click()
    visit.page.get_by_role("option", name=option).click()
    visit.quiet()


def place(visit: Visit, label: str) -> Locator:
    """The field of a place of the template."""
    return visit.page.get_by_label(label)


def put_in(visit: Visit, label: str, variable: str) -> None:
    """Put a variable into the field of a place, by the button beside it."""
    beside = visit.page.get_by_test_id("stHorizontalBlock").filter(has=place(visit, label)).last
    beside.get_by_role("button").last.click()
    visit.page.get_by_role("menuitem", name=variable, exact=True).click()
    visit.quiet()


def file(name: str, content: bytes) -> dict[str, Any]:
    return {"name": name, "mimeType": "text/csv" if name.endswith("csv") else "image/png", "buffer": content}
