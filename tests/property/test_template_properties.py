"""Text comes out as it went in, and values as they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.template import MissingValuesError, TemplateError, missing, parse, render

names = st.sampled_from(["name", "city", "שם", "Order No", "é"])
values = st.dictionaries(names, st.text(max_size=10))


def escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


@given(st.text() | st.text("{}|a א-:", max_size=12))
def test_any_text_reads_or_says_where_it_fails(text: str) -> None:
    fails_at = None
    try:
        template = parse(text)
    except TemplateError as error:
        fails_at = error.position
    if fails_at is None:
        assert missing(template, dict.fromkeys(template.variables, "x")) == []
    else:
        assert text[fails_at - 1] in "{}"


@given(st.text() | st.text("{}|a", max_size=12))
def test_escaped_text_comes_out_as_it_was(text: str) -> None:
    assert render(parse(escaped(text)), {}) == text


@given(st.text(max_size=20), names, st.text(min_size=1, max_size=20).filter(str.strip), st.text(max_size=20))
def test_a_value_goes_in_as_it_is(before: str, name: str, value: str, after: str) -> None:
    template = parse(f"{escaped(before)}{{{name}}}{escaped(after)}")
    assert render(template, {name: value}) == before + value + after


@given(st.lists(st.tuples(names, st.none() | st.just("friend"))), values)
def test_a_message_can_be_written_exactly_when_nothing_is_missing(
    slots: list[tuple[str, str | None]], given_values: dict[str, str]
) -> None:
    template = parse(" ".join(f"{{{name}}}" if other is None else f"{{{name}|{other}}}" for name, other in slots))
    without = missing(template, given_values)
    assert set(without) == {name for name, other in slots if other is None and not given_values.get(name, "").strip()}
    if without:
        with pytest.raises(MissingValuesError) as caught:
            render(template, given_values)
        assert caught.value.names == without
    else:
        render(template, given_values)
