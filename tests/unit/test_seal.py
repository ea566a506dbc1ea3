"""Access tokens open with our key, at their own number, undamaged; or not at all."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.seal import CannotBeOpenedError, Seal

KEY, OTHER = (base64.b64encode(bytes([byte]) * 32).decode() for byte in b"ab")
TOKEN = "EAAG-a-token-of-meta"


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=300), st.text(st.characters(codec="utf-8"), max_size=40))
def test_what_was_sealed_opens_and_is_not_to_be_seen(token: str, number: str) -> None:
    sealed = Seal(KEY).seal(token, number)
    assert Seal(KEY).opened(sealed, number) == token
    assert len(token) < 5 or token.encode() not in sealed


def test_the_same_token_is_never_sealed_the_same() -> None:
    assert len({Seal(KEY).seal(TOKEN, "1") for _ in range(100)}) == 100


def test_another_key_or_another_number_does_not_open_it() -> None:
    sealed = Seal(KEY).seal(TOKEN, "1")
    for seal, number in ((Seal(OTHER), "1"), (Seal(KEY), "2")):
        with pytest.raises(CannotBeOpenedError, match="sealed with another CLOUD_TOKEN_KEY") as error:
            seal.opened(sealed, number)
        assert TOKEN not in str(error.value)


def test_nothing_damaged_opens() -> None:
    sealed = Seal(KEY).seal(TOKEN, "1")
    for place in range(len(sealed)):
        damaged = bytearray(sealed)
        damaged[place] ^= 1
        with pytest.raises(CannotBeOpenedError):
            Seal(KEY).opened(bytes(damaged), "1")
    for size in range(len(sealed)):
        with pytest.raises(CannotBeOpenedError):
            Seal(KEY).opened(sealed[:size], "1")


def test_the_key_is_not_to_be_seen() -> None:
    seal = Seal(KEY)
    assert KEY not in repr(seal)
    assert KEY not in repr(vars(seal))
