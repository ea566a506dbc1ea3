"""A launch asked for by a form, under the same rules as by JSON."""

from __future__ import annotations

import json
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from api.launch_bodies import How


async def only_known_fields(request: Request) -> None:
    """A misspelt `scheduled_at` would launch now: FastAPI passes over fields of a form that it does not know."""
    known = {field.alias for field in request.scope["route"].dependant.body_params}
    unknown = [name for name in await request.form() if name not in known]
    if unknown:
        raise RequestValidationError([{"type": "extra_forbidden", "loc": ("body", name)} for name in unknown])


def how_of_form(*, template: str | None, **fields: Any) -> How:
    """The form's fields under the same rules as those of the JSON body; ``template`` is JSON."""
    try:
        parsed = None if template is None else json.loads(template)
    except (ValueError, RecursionError):  # the latter for one that is nested too deeply
        raise RequestValidationError([{"type": "json_invalid", "loc": ("body", "template")}]) from None
    try:
        return How(**{name: value for name, value in {**fields, "template": parsed}.items() if value is not None})
    except ValidationError as error:
        faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors()]
        raise RequestValidationError(faults) from None
