"""What is wrong with a field, in the words of somebody who wrote the request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not a field of this request",
    "json_invalid": "is not JSON",
    "model_attributes_type": "must be a JSON object, sent with Content-Type: application/json",
    "model_type": "must be a JSON object",
    "dict_type": "must be a JSON object",
    "string_type": "must be text",
    "string_unicode": "has characters that are no text",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must look like {pattern}",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "is too large a number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "too_short": "must not be empty",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "enum": "must be one of {expected}",
    "literal_error": "must be one of {expected}",
    "timezone_aware": "needs a time zone, as in 2026-11-30T09:00:00+02:00",
    "value_error": "{error}",
}
_DATES = ("datetime_", "timezone_")


def field_of(loc: Sequence[int | str]) -> str:
    """Where a fault lies: ``recipients.3``; ``body`` for the whole of it."""
    kind, *path = loc
    return ".".join(map(str, path)) if path and not (kind == "body" and isinstance(path[0], int)) else str(kind)


def in_words(fault: Mapping[str, Any]) -> str:
    """The words for one fault of pydantic's."""
    kind = str(fault["type"])
    words = _WORDS.get(kind)
    if words is None and kind.startswith(_DATES):
        return "must be a time with its zone, as in 2026-11-30T09:00:00+02:00"
    if "UploadFile" in str(fault.get("ctx")):
        return "must be a file"
    return words.format(**fault.get("ctx", {})) if words else str(fault["msg"])
