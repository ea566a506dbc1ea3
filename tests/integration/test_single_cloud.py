"""Single sends from official numbers: a template with values as they are, and free text inside the window only (R28)."""

from __future__ import annotations

from typing import Any

import pytest
from cloud_content import FILLED, ORDER, PICTURE, asked, put_file, put_template, wrote
from cloud_numbers import add_numbers
from people import add_devices, phones, workspace
from placing import begin_next
from sqlalchemy import Connection, text

from bridge.protocol import Template
from services import message_views, single
from services.refused import Refused
from services.single import Queued


def send_template(db: Connection, device_id: int, given: dict[str, Any]) -> Queued:
    return single.send_template(
        db, workspace(db), given, device_id=device_id, number=phones(1)[0], default_country="IL"
    )


def send(db: Connection, device_id: int) -> Queued:
    return single.send(db, workspace(db), device_id=device_id, number=phones(1)[0], body="Hello", default_country="IL")


def test_a_template_goes_out_with_its_values_as_they_are(db: Connection) -> None:
    (number,) = add_numbers(db, 1)
    put_template(db, "order", ORDER)
    values = {**FILLED, "body.1": "{name} of\n{{Fanfare}}", "header.1": "7", "body.2": "Lod", "button.0": "a"}
    queued = send_template(db, number, asked("order", values))
    story = message_views.one(db, workspace(db), queued.id)
    assert story is not None
    words = "Hello {name} of {{Fanfare}}, it goes to Lod."
    assert story["text"] == f"*Order 7*\n\n{words}\n\n_Fanfare_\n\n[Track] https://example.com/a"
    begun = begin_next(db, number)
    assert begun is not None
    content = begun.outbound().content
    assert isinstance(content, Template)
    body = next(part for part in content.components if part["type"] == "body")
    assert [parameter["text"] for parameter in body["parameters"]] == ["{name} of {{Fanfare}}", "Lod"]


def test_free_text_needs_an_open_window_with_this_number(db: Connection) -> None:
    first, second = add_numbers(db, 2)
    (other,) = add_devices(db, 1)
    wrote(db, first, phones(1))
    wrote(db, second, phones(1), hours_ago=23.9)
    assert send(db, first).status == "queued"
    assert send(db, other).status == "queued"
    with pytest.raises(Refused) as caught:
        send(db, second)
    assert (caught.value.code, caught.value.details) == ("OUTSIDE_WINDOW", {"field": "phone", "outside_count": 1})


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (asked("bye"), "TEMPLATE_NOT_THERE"),
        (asked("waiting"), "TEMPLATE_NOT_APPROVED"),
        (asked(values={"body.1": " "}), "TEMPLATE_NOT_FILLED"),
        (asked(values={}), "TEMPLATE_NOT_FILLED"),
        (asked(values={"body.1": "a", "body.2": "b"}), "UNKNOWN_PLACE"),
        (asked("picture"), "TEMPLATE_NEEDS_FILE"),
        (asked(media_id=99), "UNKNOWN_MEDIA"),
        (asked("map", {}), "TEMPLATE_UNSUPPORTED"),
    ],
)
def test_what_is_wrong_with_a_template_is_said(db: Connection, given: dict[str, Any], code: str) -> None:
    (number,) = add_numbers(db, 1)
    put_template(db)
    put_template(db, "picture", PICTURE)
    put_template(db, "waiting", status="REJECTED")
    put_template(db, "map", [{"type": "HEADER", "format": "LOCATION"}])
    with pytest.raises(Refused) as caught:
        send_template(db, number, given)
    assert caught.value.code == code
    assert db.execute(text("SELECT count(*) FROM messages")).scalar_one() == 0


def test_a_template_goes_out_from_a_number_that_has_it(db: Connection) -> None:
    (number,), (without,) = add_numbers(db, 1), add_numbers(db, 1, business_id="without", name="without")
    (other,) = add_devices(db, 1)
    put_template(db, "picture", PICTURE)
    given = asked("picture", media_id=put_file(db))
    assert send_template(db, number, given).status == "queued"
    for device_id, code in ((other, "NOT_OFFICIAL"), (without, "TEMPLATE_NOT_THERE"), (999, "UNKNOWN_DEVICE")):
        with pytest.raises(Refused) as caught:
            send_template(db, device_id, given)
        assert caught.value.code == code
