"""Whatever is typed, a number is read once and for all or refused with a reason."""

from __future__ import annotations

import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from domain.phone import Phone, Rejected, masked, parse, whatsapp_address

mobiles = st.integers(0, 9_999_999).map(lambda n: f"+97250{n:07d}")
scripts = st.sampled_from([ord("0"), 0x0660, 0x06F0, 0x0966, 0xFF10])
fillers = st.lists(st.sampled_from(["", " ", "-", "\u00a0", "\u200f", "\u202a", "\u2011"]), min_size=13, max_size=13)


@given(st.text(max_size=80), st.sampled_from(["IL", "US", "MY", "DE"]))
@example("9.72E+11", "IL")
def test_any_text_is_a_number_or_refused(raw: str, country: str) -> None:
    found = parse(raw, country)
    assert isinstance(found, Phone | Rejected)
    if isinstance(found, Phone):
        assert not any(unicodedata.category(character).startswith("L") for character in raw)


@given(st.text(alphabet="+0123456789 -().E,\u200f", max_size=20))
def test_what_was_read_reads_the_same_again(raw: str) -> None:
    found = parse(raw, "IL")
    if isinstance(found, Phone):
        assert parse(found.e164, "US") == found
        assert whatsapp_address(found.e164) == found.e164[1:] + "@s.whatsapp.net"


@given(mobiles, scripts, fillers)
def test_neither_script_nor_what_stands_between_changes_the_number(e164: str, zero: int, between: list[str]) -> None:
    digits = [chr(zero + int(digit)) for digit in e164[1:]]
    dressed = "+" + "".join(digit + filler for digit, filler in zip(digits, ["", *between[1:]], strict=False))
    assert parse(dressed, "US") == Phone(e164)


@given(mobiles)
def test_all_ways_of_dialling_are_one(e164: str) -> None:
    local = "0" + e164[4:]
    spellings = [local, e164[1:], "00" + e164[1:], f"{local}.0", f"'{local}", f"{local[:3]}-{local[3:]}"]
    assert {parse(spelling, "IL") for spelling in spellings} == {Phone(e164)}


@given(st.integers(1, 9), st.text("0123456789", max_size=11), st.integers(5, 15), st.sampled_from(["E+", "e", "E"]))
def test_scientific_notation_is_never_a_number(first: int, rest: str, power: int, sign: str) -> None:
    assert parse(f"{first}.{rest}{sign}{power}", "IL") == Rejected("scientific_notation")


@given(mobiles, mobiles)
def test_two_numbers_in_a_cell_are_refused(one: str, other: str) -> None:
    for between in (" ", ",", "/", ";", "\n", " or ", ""):
        assert isinstance(parse(one + between + other, "IL"), Rejected)
        assert isinstance(parse(one + between + other[1:], "IL"), Rejected)


@given(mobiles)
def test_a_mask_keeps_eight_digits_secret(e164: str) -> None:
    assert masked(e164) == f"+972•••••{e164[-2:]}"
    assert masked(e164) == masked(whatsapp_address(e164))
