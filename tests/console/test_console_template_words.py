"""Meta's words where Markdown is read: they are text, whatever signs are in them."""

from __future__ import annotations

import pytest

from console.parts import template_words
from domain.cloud_template import Place


@pytest.fixture(autouse=True)
def _in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("words", "shown", "parts.template_words"):
        monkeypatch.setattr(f"console.{module}.language", lambda: "en")


def test_a_places_name_is_as_meta_has_it() -> None:
    told = template_words.place(Place("body.first_name", "Hello {{first_name}}"))
    assert told.startswith("{{first_name}} in the text")


@pytest.mark.parametrize(("name", "escaped"), [("*x*", r"{{\*x\*}}"), ("[x](//x)", r"{{\[x\]\(//x\)}}")])
def test_a_name_that_is_markdown_is_text(name: str, escaped: str) -> None:
    told = template_words.place(Place(f"body.{name}", f"Hello {{{{{name}}}}}"))
    assert told.count(escaped) == 2
    assert f"{{{{{name}}}}}" not in told
