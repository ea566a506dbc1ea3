"""Places of a template that only look like numbers, and values that nobody sees."""

from __future__ import annotations

import pytest

from domain.cloud_template import asked, filled, value_of
from domain.template import MissingValuesError


def body(text: str) -> list[dict[str, str]]:
    return [{"type": "BODY", "text": text}]


def test_numbers_are_in_the_order_of_their_counting() -> None:
    assert [place.key for place in asked(body("{{10}} {{2}} {{1}}")).places] == ["body.1", "body.2", "body.10"]


@pytest.mark.parametrize("name", ["²", "١", "9" * 5000])
def test_what_only_looks_like_a_number_is_a_name(name: str) -> None:
    components = body(f"{{{{{name}}}}} and {{{{1}}}}")
    assert [place.key for place in asked(components).places] == [f"body.{name}", "body.1"]
    (part,) = filled(components, {f"body.{name}": "a", "body.1": "b"}, {})
    assert part["parameters"] == [{"type": "text", "text": "a", "parameter_name": name}, {"type": "text", "text": "b"}]


@pytest.mark.parametrize("value", ["", " \n", "\u200b", "\u2800", "\u3164 \uffa0", "{name}", "{name|\u200b}"])
def test_a_value_that_nobody_sees_is_none(value: str) -> None:
    with pytest.raises(MissingValuesError):
        value_of("body.1", {"body.1": value}, {"name": "\u200b\u2800"})


@pytest.mark.parametrize("value", ["Dana", "דנה", "한", "👍", "\u200f.", "0"])
def test_whatever_is_seen_is_a_value(value: str) -> None:
    assert value_of("body.1", {"body.1": f" {value} "}, {}) == value
