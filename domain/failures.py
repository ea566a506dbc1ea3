"""Why a message or a row came to nothing: every code, in words for the person who reads it.

One table. The bridge's codes are those of its contract; the others are ours. What a code means for an attempt (sent,
not sent, unknown) comes with the answer that bears it, not from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Concerns = Literal["device", "message", "person", "bridge", "system"]


@dataclass(frozen=True, slots=True)
class Failure:
    """``reason`` says what happened, ``concerns`` whose matter it is, ``advice`` whether and when to try again."""

    code: str
    reason: str
    concerns: Concerns
    advice: str


_DEVICE_AWAY: Final = "Safe to retry: nothing was sent, and it goes on by itself when the phone is back."
_CORRECT_NUMBER: Final = "Correct the number and upload it again."
_CORRECT_ROW: Final = "Nothing was sent: correct the row and upload it again."
_CORRECT_MESSAGE: Final = "Do not retry unchanged: change the message or the file."
_WAIT_OR_DECIDE: Final = (
    "Do not retry yet: it may have arrived. Wait for a receipt, or accept that it may arrive twice."
)
_RETRY: Final = "Safe to retry: nothing was sent."
_IF_PROVEN: Final = "See whether it is marked as not sent."
_NOT_THERE: Final = "Do not retry: ask the person for another number, or take this one off your list."

_TABLE: Final = (
    # The device: what sends is away, through no fault of the message or the person
    Failure("not_connected", "Our phone was not connected to WhatsApp", "device", _DEVICE_AWAY),
    Failure("qr_required", "Our phone must be paired again by scanning its QR code", "device", _DEVICE_AWAY),
    Failure("restricted", "WhatsApp has restricted our phone for a time", "device", _DEVICE_AWAY),
    Failure("logged_out", "Our phone was logged out of WhatsApp", "device", _DEVICE_AWAY),
    Failure("banned", "WhatsApp has banned our phone", "device", "Safe to retry, from another phone."),
    Failure("no_session", "The bridge does not know our phone's session", "device", _DEVICE_AWAY),
    Failure(
        "wrong_bridge",
        "Our phone is of another kind than the bridge that runs",
        "device",
        "Safe to retry: nothing was sent. Run the bridge of this kind of phone, or send from another phone.",
    ),
    Failure(
        "token_refused",
        "Meta does not take our number's access token any more",
        "device",
        "Safe to retry: nothing was sent. Give the number a new token, and it goes on by itself.",
    ),
    Failure(
        "payment_missing",
        "Meta has no valid payment method for our number's account",
        "device",
        "Safe to retry: nothing was sent. See to the payment in Meta's Business Manager.",
    ),
    Failure(
        "not_registered",
        "Our number is not registered at Meta",
        "device",
        "Safe to retry: nothing was sent. Register the number in Meta's WhatsApp Manager.",
    ),
    # The message
    Failure("unsupported_media", "WhatsApp does not take this kind of file", "message", _CORRECT_MESSAGE),
    Failure("too_large", "The file is too large for WhatsApp", "message", _CORRECT_MESSAGE),
    Failure(
        "missing_variable",
        "The message needs a value that this person does not have",
        "message",
        "Safe to retry when the value is filled in or the variable has a fallback.",
    ),
    Failure(
        "template_missing",
        "Meta does not have this template in this language",
        "message",
        "Do not retry unchanged: synchronise the templates and choose one that is approved.",
    ),
    Failure(
        "template_refused",
        "Meta has paused or disabled this template",
        "message",
        "Do not retry unchanged: choose another template, or wait until Meta allows this one again.",
    ),
    Failure("template_values", "Meta does not take the values that fill the template", "message", _CORRECT_MESSAGE),
    Failure("message_refused", "Meta does not take this message", "message", _CORRECT_MESSAGE),
    Failure(
        "not_a_cloud_number",
        "Only a number of Meta's Cloud API can send a template",
        "message",
        "Safe to retry, from a number of the Cloud API.",
    ),
    Failure("media_uploading", "The file was being uploaded to WhatsApp", "message", _RETRY),
    # The person: a number that cannot be written to
    Failure(
        "outside_window",
        "This person has not written to our number within 24 hours, so only a template may be sent",
        "person",
        "Do not retry unchanged: send a template.",
    ),
    Failure(
        "undeliverable",
        "WhatsApp cannot deliver to this person: they are not on WhatsApp, or have not accepted its terms",
        "person",
        _NOT_THERE,
    ),
    Failure(
        "marketing_limit",
        "WhatsApp held it back: this person gets enough marketing messages at present",
        "person",
        "Do not retry today: WhatsApp would hold it back again.",
    ),
    Failure(
        "opted_out",
        "This person has told WhatsApp that they want no marketing messages from us",
        "person",
        "Do not retry: they are on the never-send list now.",
    ),
    Failure(
        "not_a_test_recipient",
        "Our number is a test number of Meta's, and this person is not among its recipients",
        "person",
        "Safe to retry when they are among the test number's recipients, or from a real number.",
    ),
    Failure("not_on_whatsapp", "This number is not on WhatsApp", "person", _NOT_THERE),
    Failure("invalid_recipient", "WhatsApp does not take this number", "person", _NOT_THERE),
    Failure(
        "suppressed", "This person is on the never-send list", "person", "Do not retry: they opted out or were blocked."
    ),
    # The person: a row that could not be used
    Failure("missing", "There is no phone number", "person", _CORRECT_NUMBER),
    Failure("too_short", "The number is too short for its country", "person", _CORRECT_NUMBER),
    Failure("invalid_format", "This is not a phone number", "person", _CORRECT_NUMBER),
    Failure(
        "scientific_notation",
        "A spreadsheet shortened the number (as in 9.72E+11) and its last digits are lost",
        "person",
        "Format the column as text, enter the numbers again and upload them.",
    ),
    Failure("not_a_mobile", "This is not a mobile number, so it may not be on WhatsApp", "person", "It is sent to."),
    Failure("duplicate", "The same number is there already", "person", "Nothing to do: the first one is used."),
    Failure("too_many_cells", "The row has more cells than the header", "person", _CORRECT_ROW),
    Failure("field_too_long", "A cell is longer than a spreadsheet's cell can be", "person", _CORRECT_ROW),
    Failure("bad_character", "The row has characters that are no text (such as NUL)", "person", _CORRECT_ROW),
    Failure("bad_value", "A value is neither text nor a number", "person", _CORRECT_ROW),
    Failure("lead_not_found", "There is no lead with this id", "person", "Nothing was sent: choose another lead."),
    # The bridge, or WhatsApp behind it
    Failure("throttled", "WhatsApp asked us to slow down", "bridge", _RETRY),
    Failure("pair_limit", "WhatsApp asked us to wait before we write to this person again", "bridge", _RETRY),
    Failure(
        "not_confirmed", "WhatsApp took the message, and has not told whether it went out", "bridge", _WAIT_OR_DECIDE
    ),
    Failure("send_timeout", "WhatsApp did not answer in time", "bridge", _WAIT_OR_DECIDE),
    Failure("provider_error", "WhatsApp answered with an error", "bridge", _IF_PROVEN),
    Failure("whatsapp_failed", "WhatsApp had a fault of its own, and did not send it", "bridge", _RETRY),
    Failure("internal", "The bridge failed", "bridge", _IF_PROVEN),
    Failure("bridge_unreachable", "The bridge could not be reached", "bridge", _RETRY),
    Failure(
        "bridge_secret", "The bridge refused our secret", "bridge", "Safe to retry when BRIDGE_SECRET is corrected."
    ),
    Failure("in_flight", "The bridge is still sending this message", "bridge", _WAIT_OR_DECIDE),
    Failure("no_answer", "The connection to the bridge broke before it answered", "bridge", _WAIT_OR_DECIDE),
    Failure("key_closed", "The message was withdrawn before it was sent", "bridge", _RETRY),
    # Ourselves
    Failure(
        "key_conflict", "One send key was used for two messages", "system", "Do not retry: report it, it is our error."
    ),
    Failure("outcome_unknown", "It is not known whether the message was sent", "system", _WAIT_OR_DECIDE),
    Failure(
        "expired", "It could not be sent within its time window", "system", "Safe to retry, if it is still of use."
    ),
    Failure("no_device", "No phone could send", "system", "Safe to retry when a phone is connected."),
    Failure("no_recipients", "Nobody matched", "system", "Choose other people."),
    Failure("cancelled", "It was cancelled before it was sent", "system", "Nothing was sent."),
    Failure("worker_lost", "Our worker stopped before it was sent", "system", _RETRY),
    Failure("not_sent_after_all", "It was in doubt, and the bridge now reports that it was not sent", "system", _RETRY),
    Failure("none_sent", "Nobody could be sent to", "system", "See each person's reason."),
    Failure(
        "device_deleted", "The phone was deleted, and the reasons with it", "system", "Nothing can be done any more."
    ),
    Failure(
        "token_unopened",
        "Our worker could not open our number's access token",
        "system",
        "Safe to retry: nothing was sent. Give every worker the same CLOUD_TOKEN_KEY, or the number a new token.",
    ),
    Failure("poison", "Our worker failed on it again and again", "system", "Do not retry: report it, it is our error."),
)

FAILURES: Final = {failure.code: failure for failure in _TABLE}

DEVICE_CODES: Final = frozenset(failure.code for failure in _TABLE if failure.concerns == "device")

# The bridge itself is away, for all of its devices; like a device that is away it uses up nobody's attempt
BRIDGE_AWAY_CODES: Final = frozenset({"bridge_unreachable", "bridge_secret"})

# The same message to the same person would only fail again: WhatsApp does not take the number or the file, or we are wrong.
NOT_WORTH_RETRYING: Final = frozenset(
    {
        "not_on_whatsapp",
        "invalid_recipient",
        "unsupported_media",
        "too_large",
        "template_missing",
        "template_refused",
        "template_values",
        "message_refused",
        "outside_window",
        "undeliverable",
        "marketing_limit",
        "opted_out",
        "key_conflict",
        "poison",
    }
)

# They refuse for now, or one of our workers cannot, which is nobody's fault: these use up nobody's attempt either
NOT_YET_CODES: Final = frozenset({"throttled", "pair_limit", "media_uploading", "token_unopened"})


def lookup(code: str) -> Failure:
    """The entry of a code. A code that is not in the table (from a newer bridge) gets an entry that says so."""
    known = FAILURES.get(code)
    return known or Failure(code, f"Unknown reason: {code}", "system", _IF_PROVEN)


def advice(code: str, *, proven: bool) -> str:
    """What to do about a message with this code: ``proven`` when it is known that nothing was sent, which some codes leave
    open."""
    if not proven:
        return _WAIT_OR_DECIDE
    told = lookup(code).advice
    return _RETRY if told in (_WAIT_OR_DECIDE, _IF_PROVEN) else told


def in_words(code: str | None, told: str | None) -> str | None:
    """What a code means, and what was told along with it when that says more, for a person; None without a code."""
    if code is None:
        return None
    meaning = lookup(code).reason
    says_no_more = not told or told.rstrip(".").casefold() in (code.casefold(), meaning.casefold())
    return meaning if says_no_more else f"{meaning}: {told}"
