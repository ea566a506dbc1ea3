from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from domain.idempotency import content_hash

words = st.text(alphabet='a1"\\,:{}[]\nא\ud800', max_size=4)
books = st.dictionaries(words, st.dictionaries(words, words, max_size=3), max_size=4)


@given(books, words, st.none() | words, st.integers())
def test_any_order_has_the_same_hash(
    book: dict[str, dict[str, str]], message: str, media: str | None, seed: int
) -> None:
    turned = [(phone, dict(reversed(list(variables.items())))) for phone, variables in book.items()]
    Random(seed).shuffle(turned)
    expected = content_hash(book.items(), message=message, media=media)
    assert content_hash(turned, message=message, media=media) == expected


@given(st.tuples(books, words, st.none() | words), st.tuples(books, words, st.none() | words))
def test_different_content_has_a_different_hash(
    one: tuple[dict[str, dict[str, str]], str, str | None], other: tuple[dict[str, dict[str, str]], str, str | None]
) -> None:
    first, second = (content_hash(book.items(), message=text, media=media) for book, text, media in (one, other))
    assert (first == second) == (one == other)
