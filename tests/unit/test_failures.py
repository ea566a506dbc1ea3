from __future__ import annotations

from typing import get_args

import pytest

from domain import phone
from domain.failures import (
    BRIDGE_AWAY_CODES,
    DEVICE_CODES,
    FAILURES,
    NOT_WORTH_RETRYING,
    Concerns,
    advice,
    in_words,
    lookup,
)

OF_THE_BRIDGE_CONTRACT = [
    *(
        "not_connected",
        "qr_required",
        "restricted",
        "logged_out",
        "banned",
        "not_on_whatsapp",
        "invalid_recipient",
        "unsupported_media",
        "too_large",
    ),
    *("throttled", "send_timeout", "provider_error", "internal", "in_flight", "key_closed", "key_conflict"),
]
OURS = [
    *(
        "expired",
        "no_device",
        "no_recipients",
        "cancelled",
        "bridge_unreachable",
        "bridge_secret",
        "poison",
        "suppressed",
    ),
    *(
        "outcome_unknown",
        "missing_variable",
        "duplicate",
        "not_a_mobile",
        "too_many_cells",
        "field_too_long",
        "bad_character",
        "bad_value",
    ),
]


@pytest.mark.parametrize("code", [*OF_THE_BRIDGE_CONTRACT, *OURS, *get_args(phone.Reason)])
def test_every_code_has_words(code: str) -> None:
    failure = FAILURES[code]
    assert lookup(code) is failure
    assert failure.code == code
    assert failure.reason
    assert failure.advice.endswith(".")
    assert failure.concerns in get_args(Concerns)


def test_a_device_is_struck_only_by_its_own_errors() -> None:
    own = {"not_connected", "qr_required", "restricted", "logged_out", "banned", "no_session", "wrong_bridge"}
    own |= {"token_refused", "payment_missing", "not_registered"}  # a number of the Cloud API
    assert own == DEVICE_CODES


def test_a_bridge_that_is_away_is_told_from_one_that_answers() -> None:
    assert all(FAILURES[code].concerns == "bridge" for code in BRIDGE_AWAY_CODES)
    assert "throttled" not in BRIDGE_AWAY_CODES


def test_an_unknown_code_is_shown_as_it_is() -> None:
    unknown = lookup("from_a_newer_bridge")
    assert "from_a_newer_bridge" in unknown.reason
    assert unknown.concerns == "system"


def test_what_was_told_is_added_only_when_it_says_more() -> None:
    assert in_words(None, "anything") is None
    assert in_words("not_on_whatsapp", None) == "This number is not on WhatsApp"
    assert in_words("not_on_whatsapp", "This number is not on WhatsApp.") == "This number is not on WhatsApp"
    assert in_words("internal", "disk full") == "The bridge failed: disk full"


@pytest.mark.parametrize("code", FAILURES)
def test_the_advice_about_what_is_proven_not_sent_agrees_with_what_a_retry_does(code: str) -> None:
    told = advice(code, proven=True)
    assert "may have arrived" not in told
    if code in NOT_WORTH_RETRYING:
        assert told.startswith("Do not retry")
    if told.startswith("Safe to retry"):
        assert code not in NOT_WORTH_RETRYING
    assert "may have arrived" in advice(code, proven=False)
