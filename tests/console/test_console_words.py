"""Every text of the console stands in every catalogue, whole and with its values."""

from __future__ import annotations

import string

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from console.words import LANGUAGES
from local.words import asked_for, catalogues, gathered

OTHERS = sorted(set(LANGUAGES) - {"en"})


def catalogue(language: str) -> Catalog:
    with catalogues()[language].open("rb") as file:
        return read_po(file, locale=language)


def values(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def forms(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or ())


def test_a_text_is_found_wherever_code_asks_for_it() -> None:
    code = """f"**{_('One')}** {_n('{n} two', '{n} twos', n)}"; {"a": marked("Thr" "ee")}; _(told)"""
    assert sorted(asked_for(code)) == [("One",), ("Three",), ("{n} two", "{n} twos")]


def test_there_is_a_catalogue_for_each_language() -> None:
    assert sorted(catalogues()) == OTHERS


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_is_left_untranslated_and_nothing_is_left_over(language: str) -> None:
    wanted = {message.id for message in gathered() if message.id}
    there = {message.id: message for message in catalogue(language) if message.id}
    assert len(wanted) > 100
    assert set(there) == wanted, "run `make words`, and translate what is new"
    assert [id for id, message in there.items() if not all(forms(message))] == []
    assert not any(message.fuzzy for message in there.values())


@pytest.mark.parametrize("language", OTHERS)
def test_every_value_is_said_in_every_language(language: str) -> None:
    for message in catalogue(language):
        if not message.id:
            continue
        asked = [message.id] if isinstance(message.id, str) else list(message.id)
        for form in forms(message):
            assert values(form) <= set().union(*map(values, asked)), message.id
            assert values(asked[-1]) <= values(form) or len(asked) > 1, message.id
        assert values(asked[-1]) <= values(forms(message)[-1]), message.id
