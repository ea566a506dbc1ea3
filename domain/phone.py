"""Phone numbers: from what people type to E.164, and from there to a WhatsApp address (R6, R7)."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final, Literal

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberType, ValidationResult

from domain.usual_phone import usual_phone

Reason = Literal["missing", "too_short", "invalid_format", "scientific_notation"]


@dataclass(frozen=True, slots=True)
class Phone:
    """A number that can be written to. ``e164`` is ``+`` and digits, such as ``+972501234567``."""

    e164: str
    warning: Literal["not_a_mobile"] | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why a cell is not taken as a number; the codes are explained in domain/failures.py."""

    reason: Reason


class NotAPhoneError(ValueError):
    """Something other than one person's number was about to be written to."""


_LONGEST_CELL: Final = 64  # no spelling of one number is longer; keeps a huge cell from costing anything
_DIGITS: Final = re.compile(r"\+?[0-9]+")
_SCIENTIFIC: Final = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]*)?(?:[eE][+-]?|[xX*\u00d7]10\^?)[0-9]+")
_WHOLE_DECIMAL: Final = re.compile(r"(\+?[0-9]+)[.,]0+")
_FRACTION: Final = re.compile(r"\+?[0-9]+\.[0-9]{1,2}")
_BETWEEN_DIGITS: Final = str.maketrans("", "", "-.()[]")
_LOOKALIKES: Final = {"\u2212": "-", "\uff0b": "+", "\uff08": "(", "\uff09": ")", "\uff0e": ".", "\uff25": "E"}
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_ADDRESS: Final = re.compile(r"\+?([1-9][0-9]{6,14})(?::[0-9]+)?(?:@(?:s\.whatsapp\.net|c\.us))?")

_MOBILE_TYPES: Final = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})
_TOO_SHORT_ERRORS: Final = frozenset(
    {
        NumberParseException.NOT_A_NUMBER,  # only digits reach the library, so this means fewer than two of them
        NumberParseException.TOO_SHORT_AFTER_IDD,
        NumberParseException.TOO_SHORT_NSN,
    }
)

_MISSING: Final = Rejected("missing")
_TOO_SHORT: Final = Rejected("too_short")
_INVALID_FORMAT: Final = Rejected("invalid_format")
_SCIENTIFIC_NOTATION: Final = Rejected("scientific_notation")


def parse(raw: str, country: str) -> Phone | Rejected:
    """Read one cell or field as one phone number (R6).

    ``country`` is the two-letter region of numbers written without ``+`` or ``00``; such a number may also begin with
    that country's own calling code, so ``972501234567`` is read in Israel as Israel's, and nowhere else.

    A number whose block the library does not know yet is taken when its length and shape are those of a mobile of its
    country: numbering plans grow faster than the library's tables (``050-123-4567`` itself is in no known block). What
    the library knows to be something other than a mobile gets the warning ``not_a_mobile``.

    Raises ValueError when ``country`` is not a region that the library knows.
    """
    if country not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"{country!r} is not a two-letter country with phone numbers")
    written = _written(raw)
    if isinstance(written, Rejected):
        return written
    usual = usual_phone(written, country)
    return Phone(usual) if usual else by_library(written, country)


def by_library(written: str, country: str) -> Phone | Rejected:
    """Read digits, with ``+`` in front or without, as the library reads them."""
    try:
        number = phonenumbers.parse(written, country)
    except NumberParseException as error:
        return _TOO_SHORT if error.error_type in _TOO_SHORT_ERRORS else _INVALID_FORMAT
    kind = phonenumbers.number_type(number)
    if kind == PhoneNumberType.UNKNOWN:
        return _of_unknown_block(number)
    return Phone(_e164(number), None if kind in _MOBILE_TYPES else "not_a_mobile")


def whatsapp_address(e164: str) -> str:
    """The address a message is sent to, ``972501234567@s.whatsapp.net``: the only function that makes one (R7).

    Raises NotAPhoneError for anything but ``+`` and 7 to 15 digits, so for groups, broadcast lists and status.
    """
    if not _E164.fullmatch(e164):
        raise NotAPhoneError("only one person's number, + and 7 to 15 digits, can be written to")
    return f"{e164[1:]}@s.whatsapp.net"


def masked(e164: str) -> str:
    """A number or address for the logs: country code and last two digits, ``+972•••••67``.

    The number of dots does not depend on the number. What is neither number nor person's address becomes dots alone.
    """
    match = _ADDRESS.fullmatch(e164)
    if match is None:
        return "•••••"
    digits = match[1]
    codes = (digits[:length] for length in (1, 2, 3))
    code = next((code for code in codes if int(code) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE), "")
    return f"+{code}•••••{digits[-2:]}"


def _written(raw: str) -> str | Rejected:
    """The digits of a cell, with ``+`` in front when they are international, without what people put between them."""
    text = raw.strip()
    if len(text) > _LONGEST_CELL:
        return _INVALID_FORMAT
    text = text if _DIGITS.fullmatch(text) else _plain(text)
    if not text:
        return _MISSING
    if not _DIGITS.fullmatch(text):
        if _SCIENTIFIC.fullmatch(text):
            return _SCIENTIFIC_NOTATION
        if whole := _WHOLE_DECIMAL.fullmatch(text):  # a spreadsheet that took the number for a quantity
            text = whole[1]
        elif _FRACTION.fullmatch(text):
            return _INVALID_FORMAT
        else:
            subtracted = text.startswith("-")  # what a spreadsheet makes of =050-1234567
            text = text.translate(_BETWEEN_DIGITS)
            if subtracted or not _DIGITS.fullmatch(text):
                return _INVALID_FORMAT
    return f"+{text[2:]}" if text.startswith("00") else text


def _plain(raw: str) -> str:
    """Spaces and invisible marks removed; digits, dashes, brackets and plus of all scripts in ASCII."""
    return "".join(map(_plain_character, raw)).lstrip("'\u2019`")


def _plain_character(character: str) -> str:
    match unicodedata.category(character):
        case "Nd":
            return str(unicodedata.decimal(character))
        case "Cf" | "Zs" | "Zl" | "Zp":
            return ""
        case "Pd":
            return "-"
        case _ if character in "\t\r\n":
            return ""
        case _:
            return _LOOKALIKES.get(character, character)


def _of_unknown_block(number: PhoneNumber) -> Phone | Rejected:
    as_mobile = phonenumbers.is_possible_number_for_type_with_reason(number, PhoneNumberType.MOBILE)
    if as_mobile == ValidationResult.IS_POSSIBLE and _has_shape_of_its_country(number):
        return Phone(_e164(number))
    shortness = (ValidationResult.TOO_SHORT, ValidationResult.IS_POSSIBLE_LOCAL_ONLY)
    if as_mobile in shortness or phonenumbers.is_possible_number_with_reason(number) in shortness:
        return _TOO_SHORT
    return _INVALID_FORMAT


def _has_shape_of_its_country(number: PhoneNumber) -> bool:
    code = number.country_code or 0
    region = phonenumbers.region_code_for_country_code(code)
    metadata = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    shape = metadata and metadata.general_desc and metadata.general_desc.national_number_pattern
    return bool(shape and re.fullmatch(shape, phonenumbers.national_significant_number(number)))


def _e164(number: PhoneNumber) -> str:
    return f"+{number.country_code}{phonenumbers.national_significant_number(number)}"
