"""R6 and R7 by example."""

from __future__ import annotations

import pytest

from domain.phone import NotAPhoneError, Phone, Rejected, masked, parse, whatsapp_address
from domain.usual_phone import usual_phone

SPELLINGS_OF_ONE_NUMBER = [
    "050-123-4567",
    "0501234567",
    "501234567",
    "972501234567",
    "+972501234567",
    "00972501234567",
    "00972 50 123 4567",
    "+972 (0)50-1234567",
    "(050) 123.4567",
    "[050]1234567",
    "050\u20131234567",
    "050\u05be1234567",
    "\u00a0050\u00a0123\u202f4567 ",
    "\u202a+972 50-123-4567\u202c",
    "\u200f050\u200b1234567\u200f",
    "\ufeff0501234567",
    "0501234567\n",
    "0501234567" + " " * 100,
    "'0501234567",
    "\u2019+972501234567",
    "501234567.0",
    "972501234567.00",
    "972501234567,0",
    "\u0660\u0665\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667",  # Arabic-Indic
    "\u06f0\u06f5\u06f0\u06f1\u06f2\u06f3\u06f4\u06f5\u06f6\u06f7",  # Persian
    "\u0966\u096b\u0966\u0967\u0968\u0969\u096a\u096b\u096c\u096d",  # Devanagari
    "\uff0b\uff19\uff17\uff12\uff15\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17",  # full width
]


@pytest.mark.parametrize("raw", SPELLINGS_OF_ONE_NUMBER)
def test_every_spelling_is_the_same_number(raw: str) -> None:
    assert parse(raw, "IL") == Phone("+972501234567")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("", "missing"),
        (" \u00a0\u200f\t", "missing"),
        (" " * 100, "missing"),
        ("1", "too_short"),
        ("100", "too_short"),
        ("12345678", "too_short"),
        ("050-123-456", "too_short"),
        ("+97250", "too_short"),
        ("9.72E+11", "scientific_notation"),
        ("9,72E+11", "scientific_notation"),
        ("9.72501E11", "scientific_notation"),
        ("9.72501234567e+11", "scientific_notation"),
        ("9E+11", "scientific_notation"),
        ("+9.72E+11", "scientific_notation"),
        (" 9.72 E+11 ", "scientific_notation"),
        ("9.72x10^11", "scientific_notation"),
        ("9.72\u00d710^11", "scientific_notation"),
        ("\uff19.\uff17\uff12\uff25\uff0b\uff11\uff11", "scientific_notation"),
        ("050-CALL-NOW", "invalid_format"),
        ("O501234567", "invalid_format"),
        ("0501234567 ext 7", "invalid_format"),
        ("0501234567x7", "invalid_format"),
        ("0501234567#7", "invalid_format"),
        ("0501234567, 0527654321", "invalid_format"),
        ("0501234567/0527654321", "invalid_format"),
        ("0501234567 0527654321", "invalid_format"),
        ("0501234567\n0527654321", "invalid_format"),
        ("050+1234567", "invalid_format"),
        ("++972501234567", "invalid_format"),
        ("+", "invalid_format"),
        ("-1234517", "invalid_format"),
        ("50123456.5", "invalid_format"),
        ("05012345678", "invalid_format"),
        ("123456789", "invalid_format"),  # as long as a mobile, but no number of Israel begins so
        ("+9991234567", "invalid_format"),
        ("447911123456", "invalid_format"),
        ("05\u00b21234567", "invalid_format"),  # a superscript is a footnote, not a digit
        ("120363025246125486@g.us", "invalid_format"),
        ("050" + "-" * 100 + "1234567", "invalid_format"),
        ("9" * 1_000_000, "invalid_format"),
    ],
)
def test_what_is_refused_and_why(raw: str, reason: str) -> None:
    assert parse(raw, "IL") == Rejected(reason)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("raw", "country", "expected"),
    [
        ("03-612-3456", "IL", Phone("+97236123456", "not_a_mobile")),
        ("1-700-123-456", "IL", Phone("+9721700123456", "not_a_mobile")),
        ("+1 212 555 1234", "IL", Phone("+12125551234")),  # America does not tell mobiles from others
        ("212 555 1234", "US", Phone("+12125551234")),
        ("555 1234", "US", Rejected("too_short")),  # the area code is missing
        ("012-345 6789", "MY", Phone("+60123456789")),
        ("+39 06 698 12345", "IL", Phone("+390669812345", "not_a_mobile")),  # Italy keeps its 0
        ("0044 7911 123456", "US", Phone("+447911123456")),
    ],
)
def test_the_country_decides(raw: str, country: str, expected: Phone | Rejected) -> None:
    assert parse(raw, country) == expected


@pytest.mark.parametrize("country", ["", "XX", "il", "ISR"])
def test_a_country_that_is_none_is_an_error_of_the_caller(country: str) -> None:
    with pytest.raises(ValueError, match="not a two-letter country"):
        parse("+972501234567", country)


def test_the_address_of_a_number() -> None:
    assert whatsapp_address("+972501234567") == "972501234567@s.whatsapp.net"


@pytest.mark.parametrize(
    "other",
    [
        "",
        "+",
        "972501234567",
        "+0501234567",
        "+972 501234567",
        "+972501234567\n",
        "+1234567890123456",
        "+\u0669\u0667\u0662\u0665\u0660\u0661\u0662\u0663\u0664\u0665",
        "972501234567@s.whatsapp.net",
        "120363025246125486@g.us",
        "972501234567-1500000000@g.us",
        "+1234567@broadcast",
        "status@broadcast",
        "12345678@newsletter",
        "12345678@lid",
    ],
)
def test_no_address_for_anything_but_a_number(other: str) -> None:
    with pytest.raises(NotAPhoneError):
        whatsapp_address(other)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+972501234567", "+972•••••67"),
        ("972501234567@s.whatsapp.net", "+972•••••67"),
        ("972501234567:12@s.whatsapp.net", "+972•••••67"),
        ("972501234567@c.us", "+972•••••67"),
        ("+12125551234", "+1•••••34"),
        ("+60123456789", "+60•••••89"),
        ("120363025246125486@g.us", "•••••"),
        ("Dana 050-1234567", "•••••"),
        ("", "•••••"),
    ],
)
def test_logs_show_country_and_last_two_digits(number: str, shown: str) -> None:
    assert masked(number) == shown


def test_the_usual_spellings_need_no_library() -> None:
    usual = ("+972501234567", "0501234567", "501234567", "972501234567")
    assert {usual_phone(written, "IL") for written in usual} == {"+972501234567"}
    assert usual_phone("0123456789", "MY") == "+60123456789"
    assert usual_phone("036123456", "IL") is None  # not a mobile: the library says what it is
    assert usual_phone("2125551234", "US") is None  # shares its code
