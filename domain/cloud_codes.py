"""What Meta's error codes mean (design: the Cloud API): for each our own code, and what is to be done about the message.

A code comes with the answer to a send or, later, with a *failed* event; it means the same in both. Source: Meta's list of
error codes of the Cloud API. Each of our codes has its words in domain.failures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Meaning:
    """``code`` is one of domain.failures. ``retryable``: the same message may be tried again. ``wait_s``: the least time
    until then, where they ask for one; it is of the number, or, for ``pair_limit``, of the person alone. ``opts_out``: the
    person wants no more of these messages."""

    code: str
    retryable: bool = False
    wait_s: float | None = None
    opts_out: bool = False


_THROTTLED: Final = Meaning("throttled", retryable=True, wait_s=1.0)
_APP_THROTTLED: Final = Meaning("throttled", retryable=True, wait_s=60.0)
_RESTRICTED: Final = Meaning("restricted", retryable=True)
_TOKEN: Final = Meaning("token_refused", retryable=True)
_PAYMENT: Final = Meaning("payment_missing", retryable=True)
_UNREGISTERED: Final = Meaning("not_registered", retryable=True)
_TEMPLATE: Final = Meaning("template_refused")
_VALUES: Final = Meaning("template_values")
_AGAIN: Final = Meaning("whatsapp_failed", retryable=True)
_MEDIA: Final = Meaning("unsupported_media")

MEANINGS: Final[Mapping[int, Meaning]] = MappingProxyType(
    {
        # Too fast: nothing was sent, and it waits
        4: _APP_THROTTLED,
        80007: _APP_THROTTLED,
        130429: _THROTTLED,
        131056: Meaning("pair_limit", retryable=True, wait_s=6.0),
        # The number or its account: it sends nothing until somebody has seen to it, and nobody pays for that
        0: _TOKEN,
        3: _TOKEN,
        10: _TOKEN,
        190: _TOKEN,
        200: _TOKEN,
        131005: _TOKEN,
        368: _RESTRICTED,
        131031: _RESTRICTED,
        131048: _RESTRICTED,
        131042: _PAYMENT,
        33: _UNREGISTERED,
        131037: _UNREGISTERED,
        131045: _UNREGISTERED,
        133010: _UNREGISTERED,
        # The person
        131021: Meaning("invalid_recipient"),
        131026: Meaning("undeliverable"),
        131030: Meaning("not_a_test_recipient"),
        131047: Meaning("outside_window"),
        131049: Meaning("marketing_limit"),
        130472: Meaning("marketing_limit"),
        131050: Meaning("opted_out", opts_out=True),
        # The message
        100: Meaning("message_refused"),
        131008: Meaning("message_refused"),
        131009: Meaning("message_refused"),
        131051: Meaning("message_refused"),
        131052: _MEDIA,
        131053: _MEDIA,
        132000: _VALUES,
        132001: Meaning("template_missing"),
        132005: _VALUES,
        132007: _TEMPLATE,
        132012: _VALUES,
        132015: _TEMPLATE,
        132016: _TEMPLATE,
        132018: _VALUES,
        132068: _TEMPLATE,
        132069: _TEMPLATE,
        # Meta itself, where it says that nothing was sent
        1: _AGAIN,
        2: _AGAIN,
        131000: _AGAIN,
        131016: _AGAIN,
        131057: _AGAIN,
        133004: _AGAIN,
    }
)


def meaning(code: int) -> Meaning:
    """What a code means; one that is not in the table (a newer one) is an error of theirs that trying again may not mend."""
    if code in MEANINGS:
        return MEANINGS[code]
    # The permissions of a token have this whole range.
    return _TOKEN if 200 <= code <= 299 else Meaning("provider_error")


_BY_OUR_CODE: Final[Mapping[str, Meaning]] = {found.code: found for found in MEANINGS.values()}


def policy(code: str) -> Meaning:
    """What is to be done about a message with this code of ours, where Meta's is not known any more."""
    return _BY_OUR_CODE.get(code, Meaning(code))
