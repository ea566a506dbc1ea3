"""How the fake Graph treats a person: by the last seven digits of the number, or as a test has set it.

A behaviour is written as a word, or as a word and a number:

- ``accept``: taken; the statuses come by webhook.
- ``quiet``: taken, and no webhook ever tells of it. Ending ``7000449``.
- ``refuse:<code>``: answered with Meta's error of this code. Ending ``9`` and six digits: ``9131026``, ``9000190``.
- ``fail:<code>``: taken, and later *failed* by webhook with this code. Ending ``8`` and six digits: ``8131049``. Endings
  exist for the codes of graph_errors.py but 0, which round numbers have.
- ``http:<status>``: this HTTP status with a page of a proxy, nothing taken. Ending ``7000`` and the status: ``7000503``.
- ``silence``: never answered, nothing taken. Ending ``7000408``.
- ``lost_silence``: taken, and never answered. Ending ``7000409``.
- ``cut``: the connection is cut before anything is taken. Ending ``7000444``.
- ``lose``: taken, and then the connection is cut. Ending ``7000445``.
- ``garble``: taken, and answered with 200 and something unreadable. Ending ``7000446``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from graph_errors import ERRORS

_BY_ENDING = {
    "7000449": "quiet",
    "7000408": "silence",
    "7000409": "lost_silence",
    "7000444": "cut",
    "7000445": "lose",
    "7000446": "garble",
}
_BY_FIRST = {"9": "refuse", "8": "fail"}
_WORDS = {"accept", "quiet", "refuse", "fail", "http", *_BY_ENDING.values()}
TAKEN = {"accept", "quiet", "fail", "lost_silence", "lose", "garble"}


@dataclass(frozen=True, slots=True)
class Behaviour:
    """``number`` is a code of Meta's or an HTTP status."""

    word: str
    number: int = 0

    @property
    def taken(self) -> bool:
        """Whether the message goes out."""
        return self.word in TAKEN


NORMAL = Behaviour("accept")


def read(written: str) -> Behaviour:
    """A behaviour as a test writes it. Raises ValueError for one that does not exist."""
    word, _, number = written.partition(":")
    if word not in _WORDS:
        raise ValueError(f"there is no behaviour {written!r}")
    return Behaviour(word, int(number or 0))


def ending(written: str) -> str:
    """The last seven digits of a number that is treated so."""
    behaviour = read(written)
    if behaviour.word in ("refuse", "fail"):
        return f"{'9' if behaviour.word == 'refuse' else '8'}{behaviour.number:06}"
    if behaviour.word == "http":
        return f"7000{behaviour.number:03}"
    return next(digits for digits, word in _BY_ENDING.items() if word == behaviour.word)


def by_ending(to: str) -> Behaviour:
    last = to[-7:]
    if last in _BY_ENDING:
        return Behaviour(_BY_ENDING[last])
    if re.fullmatch(r"7000[3-5]\d\d", last):
        return Behaviour("http", int(last[4:]))
    code = int(last[1:])
    if last[0] in _BY_FIRST and code != 0 and code in ERRORS:
        return Behaviour(_BY_FIRST[last[0]], code)
    return NORMAL
