"""R33 by example."""

from __future__ import annotations

import pytest

from domain.template import MissingValuesError, TemplateError, missing, parse, render

DANA = {"name": "Dana", "city": "Haifa", "שם מלא": "דנה כהן"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ""),
        ("Hello", "Hello"),
        ("Hi {name}!", "Hi Dana!"),
        ("Hi { NAME }!", "Hi Dana!"),
        ("Hi {name|there}!", "Hi Dana!"),
        ("Hi {nick|there}!", "Hi there!"),
        ("Hi { nick | my friend }!", "Hi my friend!"),
        ("Hi{nick|}!", "Hi!"),
        ("{name} of {city}, {name}", "Dana of Haifa, Dana"),
        ("{{name}}", "{name}"),
        ("{{{name}}}", "{Dana}"),
        ("}}{{", "}{"),
        ("שלום {שם  מלא}", "שלום דנה כהן"),
        ("שלום {\u200fשם מלא\u200f}", "שלום דנה כהן"),
        ("{nick|a|b}", "a|b"),
    ],
)
def test_a_message(text: str, message: str) -> None:
    assert render(parse(text), DANA) == message


def test_a_value_is_never_read_as_a_template() -> None:
    assert render(parse("{name} {city}"), {"name": "{city}", "city": "}} {name|x}"}) == "{city} }} {name|x}"


def test_names_of_values_do_not_depend_on_case_or_spaces() -> None:
    assert render(parse("{First Name} {straße}"), {" first  NAME ": "Dana", "STRASSE": "Herzl"}) == "Dana Herzl"


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("Hi {name", 4, "never closed"),
        ("Hi name}", 8, "closes nothing"),
        ("Hi {na{me}", 4, "never closed"),
        ("{{name}", 7, "closes nothing"),
        ("Hi {}", 4, "no name"),
        ("Hi { |there}", 4, "no name"),
        ("{-}", 1, "no name"),
        ('{"a": 1}', 1, "is not a name"),
        ("{a\0b}", 1, "is not a name"),
        ("{name|{city}}", 1, "never closed"),
    ],
)
def test_what_cannot_be_read_says_where(text: str, position: int, words: str) -> None:
    with pytest.raises(TemplateError, match=words) as caught:
        parse(text)
    assert caught.value.position == position


def test_variables_are_named_once_as_first_written() -> None:
    assert parse("{Name} {city|x} {name} {CITY}").variables == ("Name", "city")


@pytest.mark.parametrize("blank", ["", "  ", "\u00a0\n"])
def test_a_blank_value_is_missing_and_takes_the_fallback(blank: str) -> None:
    template = parse("{name} {city|town}")
    assert missing(template, {"name": blank, "city": blank}) == ["name"]
    assert render(template, {"name": "Dana", "city": blank}) == "Dana town"
    with pytest.raises(MissingValuesError) as caught:
        render(template, {"name": blank})
    assert caught.value.names == ["name"]


def test_a_fallback_in_one_place_does_not_help_another() -> None:
    assert missing(parse("{name|you} and {name}"), {}) == ["name"]
    assert missing(parse("{name|you}"), {}) == []
