"""Launching by a template of Meta's: which numbers it goes out from, and every way in which it is refused (R28)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from cloud_content import FILLED, HELLO, ORDER, PICTURE, asked, put_file, put_template
from cloud_numbers import add_numbers
from people import add_devices, workspace
from placing import begin_next
from sqlalchemy import Connection, Engine, text

from bridge.protocol import Template
from db.engine import run
from domain.people import Person
from services import campaign_views, clone, distribute, drafts
from services.launch import Launched, launch
from services.launch_request import Launch
from services.refused import Refused

DANA, AVI = (
    Person("+972501000001", "Dana", {"name": "Dana", "city": "Haifa"}, 2, None),
    Person("+972501000002", "", {"city": "Yafo"}, 3, None),
)


def launch_template(db: Connection, template: dict[str, Any], *people: Person, **more: Any) -> Launched:
    return launch(db, Launch(workspace(db), "", people or (DANA, AVI), template=template, **more))


def devices_of(db: Connection, campaign_id: int) -> list[int]:
    rows = db.execute(
        text("SELECT device_id FROM campaign_devices WHERE campaign_id = :id ORDER BY 1"), {"id": campaign_id}
    )
    return list(rows.scalars())


def used(engine: Engine, template: dict[str, Any], **more: Any) -> list[int]:
    """The devices that a launch of its own uses."""
    with engine.begin() as db:
        return devices_of(db, launch_template(db, template, allow_repeat=True, **more).campaign_id)


def refused(engine: Engine, template: dict[str, Any], **more: Any) -> Refused:
    """The refusal of a launch, after which nothing of it is there."""
    with pytest.raises(Refused) as caught, engine.begin() as db:
        launch_template(db, template, **more)
    with engine.begin() as db:
        for table in ("campaigns", "messages", "idempotency"):
            assert db.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0
    return caught.value


@pytest.fixture
def number(engine: Engine) -> int:
    """A number whose account has the template *hello*."""
    with engine.begin() as db:
        put_template(db)
        return add_numbers(db, 1)[0]


def test_a_launch_keeps_the_template_with_its_parts_and_its_words(db: Connection) -> None:
    (number,) = add_numbers(db, 1)
    add_devices(db, 1)
    put_template(db, "order", ORDER)
    launched = launch_template(db, asked("order", FILLED), title="Orders")
    row = db.execute(text("SELECT message, template FROM campaigns")).one()
    assert row.template == {**asked("order", FILLED), "components": ORDER}
    assert row.message == (
        "*Order 7*\n\nHello {name|there}, it goes to {city}.\n\n_Fanfare_\n\n[Track] https://example.com/{name|all}"
    )
    assert (launched.queued_count, devices_of(db, launched.campaign_id)) == (2, [number])
    view = campaign_views.one(db, workspace(db), launched.campaign_id)
    assert view is not None
    assert (view.template, view.message) == (row.template, row.message)


def test_each_person_gets_their_own_values(db: Connection) -> None:
    (number,) = add_numbers(db, 1, gap_s=0.0)
    put_template(db, "order", ORDER)
    distribute.distribute(db, launch_template(db, asked("order", FILLED)).campaign_id)
    sent = {}
    for slot in (0, 1):
        begun = begin_next(db, number, slot=slot)
        assert begun is not None
        content = begun.outbound().content
        assert isinstance(content, Template)
        parts = [[each["text"] for each in part["parameters"]] for part in content.components]
        sent[begun.phone] = (content.name, content.language, parts)
    assert sent == {
        DANA.phone: ("order", "en", [["7"], ["Dana", "Haifa"], ["Dana"]]),
        AVI.phone: ("order", "en", [["7"], ["there", "Yafo"], ["all"]]),
    }


def test_who_lacks_a_value_of_a_place_is_left_out(db: Connection) -> None:
    add_numbers(db, 1)
    put_template(db)
    launched = launch_template(db, asked(values={"body.1": "{name}"}))
    assert (launched.queued_count, [row["reason"] for row in launched.invalid]) == (1, ["missing_variable"])


def test_it_goes_out_from_all_numbers_that_have_it_approved(engine: Engine) -> None:
    with engine.begin() as db:
        first, second = add_numbers(db, 2)
        (other,) = add_numbers(db, 1, business_id="with it", name="other")
        add_numbers(db, 1, business_id="without it", name="without")
        add_numbers(db, 1, business_id="waiting", name="waiting")
        (off,) = add_numbers(db, 1, name="off")
        db.execute(text("UPDATE devices SET can_send = false WHERE id = :id"), {"id": off})
        put_template(db)
        put_template(db, business_id="with it", components=[{**HELLO[0], "example": {"body_text": [["Noa"]]}}])
        put_template(db, business_id="waiting", status="PENDING")
    assert used(engine, asked()) == [first, second, other]
    assert used(engine, asked(), device_ids=[first, off]) == [first, off]


def test_where_accounts_have_different_ones_of_a_name_it_is_the_one_of_the_chosen_number(engine: Engine) -> None:
    with engine.begin() as db:
        (other,) = add_numbers(db, 1, business_id="other", name="other")
        first, second = add_numbers(db, 2)
        put_template(db)
        put_template(db, business_id="other", components=[{"type": "BODY", "text": "Goodbye {{1}}"}])
    assert used(engine, asked()) == [first, second]  # that of most numbers
    assert used(engine, asked(), device_ids=[other]) == [other]
    with engine.begin() as db:
        words = db.execute(text("SELECT message FROM campaigns ORDER BY id")).scalars().all()
    assert words == ["Hello {name|there}", "Goodbye {name|there}"]


@pytest.mark.parametrize(
    ("given", "code", "details"),
    [
        (asked("bye"), "TEMPLATE_NOT_THERE", {}),
        (asked(language="he"), "TEMPLATE_NOT_THERE", {}),
        (asked(values={"body.1": "a", "body.2": "b"}), "UNKNOWN_PLACE", {"places": ["body.2"]}),
        (asked(values={"body.1": "a\0"}), "INVALID", {}),
        (asked(values={"body.1": "x" * 65_537}), "INVALID", {}),
        (asked(values={}), "TEMPLATE_NOT_FILLED", {"places": ["body.1"]}),
        (asked(values={"body.1": "{name|}"}), "TEMPLATE_NOT_FILLED", {"places": ["body.1"]}),
        (asked(values={"body.1": "{name"}), "BAD_MESSAGE", {}),
        (asked(media_id=987), "UNKNOWN_MEDIA", {}),
    ],
)
def test_what_is_wrong_with_it_is_said(
    engine: Engine, number: int, given: dict[str, Any], code: str, details: dict[str, Any]
) -> None:
    found = refused(engine, given)
    assert (found.code, found.details) == (code, {"field": "template", **details})


def test_values_that_cannot_be_read_do_not_mend_each_other(engine: Engine, number: int) -> None:
    with engine.begin() as db:
        put_template(db, "two", [{"type": "BODY", "text": "{{1}} {{2}}"}])
    assert refused(engine, asked("two", {"body.1": "{na", "body.2": "me|x}"})).code == "BAD_MESSAGE"


def test_a_header_needs_its_file(engine: Engine, number: int) -> None:
    with engine.begin() as db:
        put_template(db, "picture", PICTURE)
        picture, paper = put_file(db), put_file(db, "application/pdf")
    found = refused(engine, asked("picture"))
    assert (found.code, found.details["kind"]) == ("TEMPLATE_NEEDS_FILE", "image")
    assert refused(engine, asked("picture", media_id=paper)).code == "WRONG_FILE"
    assert refused(engine, asked(media_id=picture)).code == "WRONG_FILE"  # it has no header
    with engine.begin() as db:
        assert launch_template(db, asked("picture", media_id=picture)).queued_count == 2


def test_a_file_of_another_workspace_is_none(engine: Engine, number: int) -> None:
    with engine.begin() as db:
        put_template(db, "picture", PICTURE)
        picture = put_file(db)
        other = "INSERT INTO workspaces (name, default_country, time_zone) VALUES ('other', 'IL', 'UTC') RETURNING id"
        db.execute(text("UPDATE media SET workspace_id = :id"), {"id": db.execute(text(other)).scalar_one()})
    assert refused(engine, asked("picture", media_id=picture)).code == "UNKNOWN_MEDIA"


def test_parts_that_we_cannot_fill_are_refused(engine: Engine, number: int) -> None:
    with engine.begin() as db:
        put_template(db, "map", [{"type": "HEADER", "format": "LOCATION"}, *HELLO])
    assert refused(engine, asked("map")).code == "TEMPLATE_UNSUPPORTED"


def test_a_template_that_meta_has_not_approved_is_refused_with_its_state(engine: Engine, number: int) -> None:
    with engine.begin() as db:
        put_template(db, status="PAUSED")
    found = refused(engine, asked())
    assert (found.code, found.details) == (
        "TEMPLATE_NOT_APPROVED",
        {"field": "template", "device_id": number, "state": "PAUSED"},
    )


def test_all_that_are_chosen_must_have_it(engine: Engine, number: int) -> None:
    with engine.begin() as db:
        (without,) = add_numbers(db, 1, business_id="without", name="without")
        (waiting,) = add_numbers(db, 1, business_id="waiting", name="waiting")
        (otherwise,) = add_numbers(db, 1, business_id="otherwise", name="otherwise")
        (no_number,) = add_devices(db, 1)
        put_template(db, business_id="waiting", status="PENDING")
        put_template(db, business_id="otherwise", components=[{"type": "BODY", "text": "Bye {{1}}"}])
    refusals = {
        device_id: refused(engine, asked(), device_ids=[number, device_id])
        for device_id in (without, waiting, otherwise, no_number)
    }
    assert {device_id: found.code for device_id, found in refusals.items()} == {
        without: "TEMPLATE_NOT_THERE",
        waiting: "TEMPLATE_NOT_APPROVED",
        otherwise: "TEMPLATE_CHANGED",
        no_number: "NOT_OFFICIAL",
    }
    assert all(found.details["device_id"] == device_id for device_id, found in refusals.items())
    assert refused(engine, asked(), device_ids=[number, 999]).code == "UNKNOWN_DEVICE"


def test_no_number_that_can_send_is_refused_unless_it_is_for_later(engine: Engine, number: int) -> None:
    with engine.begin() as db:
        db.execute(text("UPDATE devices SET can_send = false"))
        add_devices(db, 1)
    assert refused(engine, asked()).code == "WHATSAPP_NOT_CONNECTED"
    with engine.begin() as db:
        launched = launch_template(db, asked(), scheduled_at=datetime.now(UTC) + timedelta(hours=1))
        assert (launched.status, devices_of(db, launched.campaign_id)) == ("scheduled", [number])


def test_the_same_template_to_the_same_people_is_one_launch(engine: Engine, number: int) -> None:
    together = Barrier(10)

    def one(_number: int) -> Launched:
        together.wait(30)
        return run(engine, lambda db: launch_template(db, asked()))

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(one, range(10)))
    assert len({answer.campaign_id for answer in answers}) == 1
    assert sorted(answer.idempotent for answer in answers) == [False] + [True] * 9
    with engine.begin() as db:
        # A repeat needs neither the template nor a number any more.
        db.execute(text("DELETE FROM templates"))
        db.execute(text("UPDATE devices SET can_send = false"))
        assert launch_template(db, asked()).campaign_id == answers[0].campaign_id


def test_other_values_or_another_file_are_another_launch(engine: Engine) -> None:
    def launched(values: dict[str, str] | None = None, **more: Any) -> int:
        return run(engine, lambda db: launch_template(db, asked("picture", values, **more))).campaign_id

    with engine.begin() as db:
        add_numbers(db, 1)
        put_template(db, "picture", PICTURE)
        put_template(db, "picture", PICTURE, language="he")
        one, other = put_file(db), put_file(db, "image/jpeg")
    first = launched(media_id=one)
    others = [
        launched(media_id=other),
        launched({"body.1": "{name|you}"}, media_id=one),
        launched(media_id=one, language="he"),
    ]
    assert len({first, *others}) == 4
    with engine.begin() as db:
        put_template(db, "picture", [PICTURE[0], {"type": "BODY", "text": "Hi {{1}}"}])
    assert launched(media_id=one) == first  # its own text is Meta's, and none of the content


def test_a_launched_template_is_cloned(db: Connection) -> None:
    add_numbers(db, 1)
    put_template(db)
    launched = launch_template(db, asked())
    draft = drafts.one(db, workspace(db), clone.clone(db, workspace(db), launched.campaign_id, who="dana"))
    assert draft is not None
    assert (draft.message, draft.template) == ("Hello {name|there}", {**asked(), "components": HELLO})
