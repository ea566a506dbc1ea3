"""How the simulated WhatsApp treats a person, by the last five digits of the number.

Data, like a payment provider's test cards: docs/simulator.md shows this table; a test compares the two.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal, NamedTuple

Twist = Literal["never_answer", "time_out", "break", "dawdle", "hang_up", "receipt_first"]


class Receipt(NamedTuple):
    """A receipt and how long after the hand-over it is due, in seconds (jittered by a quarter either way)."""

    status: Literal["sent", "delivered", "read", "failed"]
    after_s: float


DELIVERED_AND_READ = (Receipt("delivered", 0.3), Receipt("read", 1.0))
REVERSED = (Receipt("read", 0.2), Receipt("delivered", 0.4), Receipt("sent", 0.6))


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One row of the table.

    ``problem`` is answered before anything is handed over, to the ``first`` tries of a person (None: to all);
    ``fate`` is what then befalls the session, where that is more than the problem; ``twist`` is what goes wrong around the
    hand-over.
    """

    name: str
    ending: str | None
    for_sessions: bool
    words: str
    problem: str | None = None
    fate: str | None = None
    first: int | None = None
    twist: Twist | None = None
    receipts: tuple[Receipt, ...] = DELIVERED_AND_READ
    reply: str | None = None


NORMAL = Behaviour("normal", None, False, "Sent; delivered after about 0.3 s; read after about 1 s.")

BEHAVIOURS = (
    Behaviour("not_on_whatsapp", "99001", False, "422, not sent.", problem="not_on_whatsapp"),
    Behaviour("invalid_recipient", "99002", False, "422, not sent.", problem="invalid_recipient"),
    Behaviour(
        "timeout_before",
        "99003",
        True,
        "No answer until the client has gone; nothing handed over, the key stays `reserved`.",
        twist="never_answer",
    ),
    Behaviour(
        "timeout_after",
        "99004",
        True,
        "Handed over, then 504 `send_timeout` at the deadline; the key stays `dispatching`; no receipt ever comes.",
        twist="time_out",
        receipts=(),
    ),
    Behaviour("error_before", "99005", True, "500, known not sent, every time.", problem="internal"),
    Behaviour(
        "error_before_twice",
        "99006",
        False,
        "500, known not sent, at this person's first two tries; then normal.",
        problem="internal",
        first=2,
    ),
    Behaviour(
        "error_after",
        "99007",
        True,
        "Handed over, then 500 with outcome unknown; the key stays `dispatching`; the receipts come and settle it.",
        twist="break",
    ),
    Behaviour(
        "throttled",
        "99008",
        True,
        "429 with `retry_after_s` 1 at this person's first try; then normal.",
        problem="throttled",
        first=1,
    ),
    Behaviour(
        "restricted",
        "99009",
        True,
        "503 at this person's first try, and the session is restricted for 5 s; then normal.",
        problem="restricted",
        first=1,
    ),
    Behaviour(
        "logged_out",
        "99010",
        True,
        "503 at this person's first try, and the session is logged out until started and scanned; then normal.",
        problem="logged_out",
        first=1,
    ),
    Behaviour(
        "not_connected",
        "99011",
        True,
        "503 at this person's first try, and the session is away for about 2 s; then normal.",
        problem="not_connected",
        first=1,
    ),
    Behaviour("slow", "99012", True, "Takes half of the deadline; then normal.", twist="dawdle"),
    Behaviour(
        "answer_lost",
        "99013",
        True,
        "Handed over, the key is `sent`, and the connection closes without an answer; receipts come.",
        twist="hang_up",
    ),
    Behaviour("unsupported_media", "99014", False, "422, not sent.", problem="unsupported_media"),
    Behaviour("too_large", "99015", False, "413, not sent.", problem="too_large"),
    Behaviour("no_receipts", "99016", False, "Sent; no receipt ever comes.", receipts=()),
    Behaviour("never_read", "99017", False, "Sent and delivered; never read.", receipts=DELIVERED_AND_READ[:1]),
    Behaviour(
        "receipts_repeated",
        "99018",
        False,
        "Sent; read, then delivered, then sent, each event posted twice.",
        receipts=REVERSED + REVERSED,
    ),
    Behaviour(
        "receipt_first",
        "99019",
        False,
        "Delivered and read are posted half a second before the answer.",
        twist="receipt_first",
        receipts=(Receipt("delivered", 0.0), Receipt("read", 0.0)),
    ),
    Behaviour(
        "failed_later",
        "99020",
        False,
        "Sent; then a `failed` receipt with error `provider_error`.",
        receipts=(Receipt("failed", 0.5),),
    ),
    Behaviour("replies", "99021", False, "Normal, and answers in a friendly way.", reply="Thank you, see you soon! 🙂"),
    Behaviour("replies_stop", "99022", False, "Normal, and answers STOP.", reply="STOP"),
    Behaviour("provider_error", "99023", False, "502, known not sent, every time.", problem="provider_error"),
    Behaviour(
        "timeout_settled",
        "99024",
        True,
        "As `timeout_after`; the receipts come and settle it.",
        twist="time_out",
    ),
    Behaviour("banned", None, True, "503, and the session is banned until started and scanned anew.", problem="banned"),
    Behaviour("qr_required", None, True, "503, and the session falls back to its QR code.", problem="qr_required"),
    Behaviour(
        "replaced",
        None,
        True,
        "503 `not_connected`: another computer has taken the session over; closed, with `replaced` as its last error, until"
        " started.",
        problem="not_connected",
        fate="replaced",
    ),
)

_BY_ENDING = {behaviour.ending: behaviour for behaviour in BEHAVIOURS if behaviour.ending}
FOR_SESSIONS = {behaviour.name: behaviour for behaviour in BEHAVIOURS if behaviour.for_sessions}


def of_person(person: str) -> Behaviour:
    """What a number's ending asks for; every other number is normal."""
    return _BY_ENDING.get(person[-5:], NORMAL)


def draw(key: str) -> float:
    """A number in 0 ≤ x < 1 that looks random and is always the same for a key, so that a run can be repeated."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:6], "big") / 2**48


def message_id(key: str) -> str:
    """WhatsApp's id of the message: derived from the key, so that a receipt finds its attempt even after a crash."""
    return "3EB0" + hashlib.sha256(b"message id " + key.encode()).hexdigest()[:18].upper()
