"""The short way to read a number says only what the library says of the same digits."""

from __future__ import annotations

import phonenumbers
from hypothesis import example, given
from hypothesis import strategies as st

from domain.phone import Phone, by_library
from domain.usual_phone import usual_phone

COUNTRIES = sorted(phonenumbers.SUPPORTED_REGIONS)


@st.composite
def written_numbers(draw: st.DrawFn) -> tuple[str, str]:
    """(digits as people of a country write them, country): its examples with some digits changed, cut or added."""
    country = draw(st.sampled_from(["IL", "MY", "DE", "US", *COUNTRIES]))
    kind = draw(st.sampled_from([0, 1, 3, 4, 5, 6, 7, 8, 10]))  # the library's types of numbers
    found = phonenumbers.example_number_for_type(country, kind)
    national = phonenumbers.national_significant_number(found) if found else "501234567"
    digits = list(national)
    for place, digit in draw(st.lists(st.tuples(st.integers(0, len(digits) - 1), st.sampled_from("0123456789")))):
        digits[place] = digit
    national = "".join(digits)[: draw(st.integers(len(digits) - 2, len(digits)))] + draw(st.sampled_from(["", "", "7"]))
    code = phonenumbers.country_code_for_region(country)
    return draw(st.sampled_from(["", "0", f"+{code}", str(code), f"+{code}0", "00", "1"])) + national, country


@given(written_numbers())
@example(("0501234567", "IL"))
@example(("972501234567", "IL"))
def test_what_it_reads_the_library_reads_so(number: tuple[str, str]) -> None:
    written, country = number
    usual = usual_phone(written, country)
    if usual is not None:
        assert by_library(written, country) == Phone(usual)


@given(st.text("+0123456789", max_size=14), st.sampled_from(COUNTRIES))
def test_of_any_digits_too(written: str, country: str) -> None:
    usual = usual_phone(written, country)
    if usual is not None:
        assert by_library(written, country) == Phone(usual)
