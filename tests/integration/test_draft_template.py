"""A draft that sends a template of Meta's: kept, checked, launched, tested on one's own number (R28)."""

from __future__ import annotations

from typing import Any

import pytest
from cloud_content import FILLED, HELLO, ORDER, PICTURE, asked, put_file, put_template, wrote
from cloud_numbers import add_numbers
from people import add_devices, workspace
from sqlalchemy import Connection, Engine, text
from test_drafts import draft_of, sums, the_draft

from db.engine import run
from domain import cloud_template
from services import clone, draft_people, drafts, send_test
from services.launch import launch
from services.launch_draft import launch_draft
from services.launch_request import Launch
from services.refused import Refused


def change(db: Connection, draft_id: int, **changes: Any) -> drafts.Draft:
    drafts.change(db, workspace(db), draft_id, changes)
    return the_draft(db, draft_id)


def refusal(db: Connection, draft_id: int, **changes: Any) -> tuple[str, object]:
    with pytest.raises(Refused) as caught:
        change(db, draft_id, **changes)
    return caught.value.code, caught.value.details["field"]


def test_a_draft_keeps_a_template_that_is_not_filled_yet_and_says_its_words(db: Connection) -> None:
    add_numbers(db, 1)
    put_template(db, "order", ORDER)
    draft = change(db, draft_of(db, message="Typed before"), template=asked("order", {"body.2": "{city}"}))
    assert draft.template == {**asked("order", {"body.2": "{city}"}), "components": ORDER}
    assert draft.message == "*Order *\n\nHello , it goes to {city}.\n\n_Fanfare_\n\n[Track] https://example.com/"
    # Who lacks a value is counted as for any message.
    assert (sums(db, draft.id).lacking, sums(db, draft.id).missing) == (1, {"city": 1})
    draft = change(db, draft.id, title="Orders")
    assert (draft.title, draft.template is not None) == ("Orders", True)
    draft = change(db, draft.id, template=None, message="Free text")
    assert (draft.template, draft.message) == (None, "Free text")


def test_who_types_does_not_undo_what_was_chosen_a_moment_ago(db: Connection) -> None:
    add_numbers(db, 1)
    put_template(db, "picture", PICTURE)
    chosen = asked("picture", {})
    of = [chosen["name"], chosen["language"]]
    draft_id = change(db, draft_of(db), template=chosen).id
    file = put_file(db)
    change(db, draft_id, filling={"of": of, "media_id": file})
    place = next(place.key for place in cloud_template.asked(PICTURE).places)
    draft = change(db, draft_id, filling={"of": of, "values": {place: "{name}"}})
    assert draft.template is not None
    assert (draft.template["media_id"], draft.template["values"][place]) == (file, "{name}")
    draft = change(db, draft_id, filling={"of": ["another", of[1]], "media_id": None})
    assert draft.template is not None
    assert draft.template["media_id"] == file


def test_a_draft_takes_no_template_that_it_cannot_be(db: Connection) -> None:
    add_numbers(db, 1)
    put_template(db)
    put_template(db, "picture", PICTURE)
    put_template(db, "map", [{"type": "HEADER", "format": "LOCATION"}])
    put_template(db, "waiting", status="PENDING")
    paper = put_file(db, "application/pdf")
    draft_id = draft_of(db)
    refusals = [
        refusal(db, draft_id, template=asked("bye")),
        refusal(db, draft_id, template=asked(values={"body.2": "x"})),
        refusal(db, draft_id, template=asked(media_id=999)),
        refusal(db, draft_id, template=asked("picture", media_id=paper)),
        refusal(db, draft_id, template=asked("map", {})),
        refusal(db, draft_id, template=asked(values={"body.1": "a\0"})),
    ]
    assert refusals == [
        ("TEMPLATE_NOT_THERE", "template"),
        ("UNKNOWN_PLACE", "template"),
        ("UNKNOWN_MEDIA", "template"),
        ("WRONG_FILE", "template"),
        ("TEMPLATE_UNSUPPORTED", "template"),
        ("INVALID", "template"),
    ]
    assert the_draft(db, draft_id).template is None
    assert change(db, draft_id, template=asked("waiting")).template is not None  # it may be approved by then
    assert refusal(db, draft_id, message="Mine") == ("INVALID", "message")  # its text is Meta's


def test_a_draft_by_template_is_launched_as_it_was_seen(engine: Engine) -> None:
    with engine.begin() as db:
        (number,) = add_numbers(db, 1)
        add_devices(db, 1)
        put_template(db, "order", ORDER)
        draft = change(db, draft_of(db), template=asked("order", FILLED))
        kept = draft.template
        put_template(db, "order", [*ORDER[:2], {"type": "FOOTER", "text": "Another"}, ORDER[3]])
    with pytest.raises(Refused) as caught, engine.begin() as db:
        launch_draft(db, workspace(db), draft.id, who="dana")
    assert (caught.value.code, caught.value.details["device_id"]) == ("TEMPLATE_CHANGED", number)
    with engine.begin() as db:
        assert the_draft(db, draft.id) == draft
        put_template(db, "order", [{**part, "example": {}} for part in ORDER])
    launched = run(engine, lambda db: launch_draft(db, workspace(db), draft.id, who="dana"))
    assert (launched.campaign_id, launched.queued_count) == (draft.id, 2)
    with engine.begin() as db:
        row = db.execute(text("SELECT template, message FROM campaigns")).one()
        assert (row.template, row.message) == (kept, draft.message)
        assert db.execute(text("SELECT device_id FROM campaign_devices")).scalars().all() == [number]


def test_what_a_draft_has_launched_is_the_apis_repeat(engine: Engine) -> None:
    with engine.begin() as db:
        add_numbers(db, 1)
        put_template(db)
        draft_id = change(db, draft_of(db), template=asked()).id
        people = draft_people.every(db, draft_id)
        launch_draft(db, workspace(db), draft_id, who="dana")
    with engine.begin() as db:
        again = launch(db, Launch(workspace(db), "", people, template=asked()))
    assert (again.campaign_id, again.idempotent) == (draft_id, True)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (asked("picture"), "TEMPLATE_NEEDS_FILE"),
        (asked(values={}), "TEMPLATE_NOT_FILLED"),
        (asked(values={"body.1": "{name"}), "BAD_MESSAGE"),
        (asked("waiting"), "TEMPLATE_NOT_APPROVED"),
    ],
)
def test_what_is_not_ready_is_neither_launched_nor_tested(engine: Engine, given: dict[str, Any], code: str) -> None:
    with engine.begin() as db:
        add_numbers(db, 1)
        put_template(db)
        put_template(db, "picture", PICTURE)
        put_template(db, "waiting", status="PENDING")
        draft_id = change(db, draft_of(db), template=given).id
    with pytest.raises(Refused) as caught, engine.begin() as db:
        launch_draft(db, workspace(db), draft_id, who="dana")
    assert caught.value.code == code
    with pytest.raises(Refused) as caught, engine.begin() as db:
        sent(db, draft_id, row=2)
    assert caught.value.code == code
    with engine.begin() as db:
        assert the_draft(db, draft_id).template is not None


def test_a_template_that_is_gone_since_is_refused(engine: Engine) -> None:
    with engine.begin() as db:
        add_numbers(db, 1)
        put_template(db)
        draft_id = change(db, draft_of(db), template=asked()).id
        db.execute(text("DELETE FROM templates"))
    with pytest.raises(Refused) as caught, engine.begin() as db:
        launch_draft(db, workspace(db), draft_id, who="dana")
    assert caught.value.code == "TEMPLATE_NOT_THERE"


def test_a_draft_without_a_phone_left_says_so(db: Connection) -> None:
    (number,) = add_numbers(db, 1)
    put_template(db)
    draft_id = change(db, draft_of(db), template=asked(), device_ids=[number]).id
    db.execute(text("UPDATE campaigns SET device_ids = '{999}'"))
    with pytest.raises(Refused) as caught:
        launch_draft(db, workspace(db), draft_id, who="dana")
    assert caught.value.code == "WHATSAPP_NOT_CONNECTED"


def test_a_draft_is_cloned_with_its_template(db: Connection) -> None:
    add_numbers(db, 1)
    put_template(db)
    draft = change(db, draft_of(db), template=asked())
    copy = the_draft(db, clone.clone(db, workspace(db), draft.id, who="dana"))
    assert (copy.template, copy.message) == ({**asked(), "components": HELLO}, "Hello {name|there}")


def sent(db: Connection, draft_id: int, *, row: int | None, device_id: int | None = None) -> Any:
    """The row of a test message to one's own number."""
    queued = send_test.send_test(
        db,
        workspace(db),
        draft_id,
        number="0541234567",
        row=row,
        device_id=device_id,
        default_country="IL",
        who="dana",
    )
    return db.execute(
        text("SELECT phone, device_id, text, template FROM messages WHERE id = :id"), {"id": queued.id}
    ).one()


def test_a_test_by_template_has_the_persons_values_in_it(db: Connection) -> None:
    (away,), (number,) = add_numbers(db, 1, business_id="without", name="away"), add_numbers(db, 1)
    add_devices(db, 1)
    put_template(db, "order", ORDER)
    draft_id = change(db, draft_of(db), template=asked("order", FILLED)).id
    row = sent(db, draft_id, row=2)
    assert (row.phone, row.device_id) == ("+972541234567", number)
    assert row.text == "*Order 7*\n\nHello Dana, it goes to Haifa.\n\n_Fanfare_\n\n[Track] https://example.com/Dana"
    values = {"header.1": "7", "body.1": "Dana", "body.2": "Haifa", "button.0": "Dana"}
    assert row.template == {**asked("order", values), "components": ORDER}
    with pytest.raises(Refused, match=r"no value for \{city\}"):
        sent(db, draft_id, row=3)
    with pytest.raises(Refused) as caught:
        sent(db, draft_id, row=2, device_id=away)
    assert caught.value.code == "TEMPLATE_NOT_THERE"


def test_what_stands_in_a_persons_file_is_no_variable(db: Connection) -> None:
    add_numbers(db, 1)
    put_template(db)
    draft_id = change(db, draft_of(db, "phone,name\n0501234567,{city}\n"), template=asked()).id
    row = sent(db, draft_id, row=2)
    assert (row.text, row.template["values"]) == ("Hello {city}", {"body.1": "{{city}}"})


def test_a_test_of_free_text_goes_from_a_number_to_which_one_has_written(db: Connection) -> None:
    first, second = add_numbers(db, 2)
    draft_id = draft_of(db, message="Hello")
    with pytest.raises(Refused) as caught:
        sent(db, draft_id, row=2)
    assert caught.value.code == "OUTSIDE_WINDOW"
    wrote(db, second, ["+972541234567"])
    assert sent(db, draft_id, row=2).device_id == second
    with pytest.raises(Refused) as caught:
        sent(db, draft_id, row=2, device_id=first)
    assert caught.value.code == "OUTSIDE_WINDOW"
    (other,) = add_devices(db, 1)
    assert sent(db, draft_id, row=2).device_id == other
