"""Why the product says no, to people who read it in their language."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator

import pytest

from console.parts import file_fault
from console.refusals import OWN, in_words
from domain.csv_rows import CsvRefused, read_csv
from local.words import SPEAKING, asked_for, gathered
from services.refused import Refused

REFUSING = ("Refused", "CsvRefused", "TemplateError")


def calls() -> Iterator[ast.Call]:
    """Wherever something is refused with a text."""
    for path in (path for folder in SPEAKING for path in folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REFUSING:
                yield node


def named(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.fixture(params=["en", "he"])
def language(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    spoken = str(request.param)
    for module in ("words", "shown"):
        monkeypatch.setattr(f"console.{module}.language", lambda: spoken)
    return spoken


def test_a_refusal_is_gathered_for_the_catalogues() -> None:
    code = """raise Refused("CODE", "One {n}", {"field": "x"}, n=1); CsvRefused("code", "Two"); TemplateError("Three", 4)"""
    assert sorted(asked_for(code)) == [("One {n}",), ("Three",), ("Two",)]


def test_every_value_that_a_refusal_names_is_given() -> None:
    checked = 0
    for call in calls():
        texts = [part.value for part in call.args if isinstance(part, ast.Constant) and isinstance(part.value, str)]
        given = {
            key.value
            for part in call.args
            if isinstance(part, ast.Dict)
            for key in part.keys
            if isinstance(key, ast.Constant)
        }
        given |= {keyword.arg for keyword in call.keywords}
        if texts and None not in given:  # None: ``**values``
            assert named(texts[-1]) <= given, texts[-1]
            checked += 1
    assert checked > 40


def test_what_the_console_says_in_the_place_of_a_text_has_that_text_still() -> None:
    texts = {message.id for message in gathered()}
    assert [text for text in OWN if " " in text and text not in texts] == []


def test_an_api_answers_the_text_with_its_values_and_only_the_details() -> None:
    refused = Refused("CONFIRM", "Deleting {name} deletes {leads} leads.", {"leads": 4}, name="{leads}")
    assert (refused.message, str(refused)) == ("Deleting {leads} deletes 4 leads.",) * 2
    assert refused.details == {"leads": 4}


@pytest.mark.parametrize(
    ("refused", "told"),
    [
        (
            Refused("NOT_POSSIBLE", "A campaign that is {status} cannot be paused.", status="partial"),
            {
                "en": "A campaign cannot be paused in this state: Finished, not everybody reached.",
                "he": "אי אפשר להשהות קמפיין במצב זה: הסתיים, לא נשלח לכולם.",
            },
        ),
        (
            Refused("INVALID_PHONE", "{meaning}.", {"field": "phone", "reason": "too_short"}, meaning="Too short"),
            {
                "en": "This number cannot be used. The number is too short for its country.",
                "he": "אי אפשר להשתמש במספר זה. המספר קצר מדי למדינה שלו.",
            },
        ),
        (
            Refused("INVALID", "This is {excess} characters too long; {longest} are possible.", excess=1, longest=4096),
            {
                "en": "This is 1 characters too long; 4,096 are possible.",
                "he": "הטקסט ארוך מדי (מספר התווים העודפים: \u20661\u2069); מותרים עד \u20664,096\u2069.",
            },
        ),
        (
            Refused("MISSING_VALUE", "This person has no value for {variables}: choose another one.", variables="{a*}"),
            {
                "en": r"This person has no value for \{a\*\}: choose another one.",
                "he": "לנמען זה אין ערך עבור \u2068\\{a\\*\\}\u2069: יש לבחור נמען אחר.",
            },
        ),
    ],
)
def test_a_refusal_is_said_in_the_language_of_who_reads_it(
    language: str, refused: Refused, told: dict[str, str]
) -> None:
    assert in_words(refused) == told[language]


def test_so_is_the_fault_of_a_file(language: str) -> None:
    with pytest.raises(CsvRefused) as caught:
        read_csv(b"phone,,name\n1,2,3\n")
    fault = caught.value
    told = file_fault.in_words({"code": fault.code, "text": fault.text, "values": fault.values})
    assert (
        told
        == {
            "en": "Column 2 has no name in the first row: name it or remove it.",
            "he": "לעמודה \u20662\u2069 אין שם בשורה הראשונה: יש לתת לה שם או להסיר אותה.",
        }[language]
    )
