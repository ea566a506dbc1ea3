from __future__ import annotations

import pytest

from domain import cloud_filling, template
from domain.cloud_template import CannotBeSentError, HeaderKind
from domain.template import TemplateError

BODY = [{"type": "BODY", "text": "Hello {{1}} of {{2}}"}]


def test_what_is_no_place_is_named() -> None:
    assert cloud_filling.unknown(BODY, {"body.1": "a", "body.3": "b", "header.1": "c"}) == ["body.3", "header.1"]
    with pytest.raises(CannotBeSentError):
        cloud_filling.unknown([{"type": "CAROUSEL"}], {})


@pytest.mark.parametrize(
    ("value", "filled"),
    [
        ("Dana", True),
        ("{name}", True),  # who has none is not sent to
        ("{name|there}", True),
        ("{name|}.", True),
        ("{name|}{city}", True),
        ("{{", True),
        ("", False),
        (" \n", False),
        ("\u200b", False),
        ("\u2800\u3164", False),
        ("{name|\u200b}", False),
        ("\u200eDana", True),
        ("{name|}", False),
        ("{name| }{city|}", False),
    ],
)
def test_a_place_is_filled_when_nobody_could_have_it_blank(value: str, filled: bool) -> None:
    found = cloud_filling.unfilled(BODY, {"body.1": value, "body.2": "Haifa"})
    assert found == ([] if filled else ["body.1"])


def test_a_place_without_a_value_is_not_filled_and_one_that_cannot_be_read_is_said() -> None:
    assert cloud_filling.unfilled(BODY, {"body.2": "Haifa"}) == ["body.1"]
    with pytest.raises(TemplateError):
        cloud_filling.unfilled(BODY, {"body.1": "{na", "body.2": "me}"})


def test_words_are_put_in_as_they_are_in_one_line() -> None:
    value = cloud_filling.literal(" {name}\n and\t{{ ")
    assert template.render(template.parse(value), {"name": "Dana"}) == "{name} and {{"


def test_an_example_makes_no_other_template() -> None:
    with_one = [{"type": "BODY", "text": "Hi {{1}}", "example": {"body_text": [["Dana"]]}}]
    buttons = [{"type": "BUTTONS", "buttons": [{"type": "URL", "url": "https://a/{{1}}", "example": ["b"]}]}]
    bare = [{"type": "BUTTONS", "buttons": [{"type": "URL", "url": "https://a/{{1}}"}]}]
    assert cloud_filling.same(with_one, [{"type": "BODY", "text": "Hi {{1}}"}])
    assert cloud_filling.same(buttons, bare)
    assert not cloud_filling.same(with_one, [{"type": "BODY", "text": "Hello {{1}}"}])
    assert not cloud_filling.same(with_one, [])


@pytest.mark.parametrize(
    ("kind", "mimetype", "fits"),
    [
        ("image", "image/png", True),
        ("image", "application/pdf", False),
        ("video", "video/mp4", True),
        ("video", "image/png", False),
        ("document", "application/pdf", True),
        ("document", "text/plain", True),
        ("document", "image/png", False),
        ("document", "audio/ogg", False),
    ],
)
def test_a_header_takes_files_of_its_kind(kind: HeaderKind, mimetype: str, fits: bool) -> None:
    assert cloud_filling.fits(kind, mimetype) is fits
