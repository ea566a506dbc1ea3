"""Who of a launch can be written to, and who not, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from domain import template
from domain.people import Person, RejectedRow
from services.launch_request import Launch, values_of
from services.refused import Refused
from services.rejected import PHONE_KEPT

INVALID_SAMPLE = 100  # bad rows that an answer lists; all of them stay with the campaign


def sort_out(request: Launch, text: str) -> tuple[list[Person], list[RejectedRow]]:
    """Who can be written to, and rejected rows of those who lack a value of the message, which is ``text``.

    Raises Refused: BAD_MESSAGE, NO_RECIPIENTS or ALL_INVALID.
    """
    try:
        message = template.parse(text)
    except template.TemplateError as error:
        raise Refused(
            "BAD_MESSAGE", "The message cannot be read: {error}.", {"field": "message"}, error=str(error)
        ) from None
    if not request.people and not request.rejected:
        raise Refused(
            "NO_RECIPIENTS",
            "There is nobody to send to: give recipients, phones or lead_ids.",
            {"missing_field": "recipients", "selection_count": 0, "workspace_id": request.workspace_id},
        )
    people: list[Person] = []
    lacking: list[RejectedRow] = []
    lacked: Counter[str] = Counter()
    for person in request.people:
        if missing := template.missing(message, values_of(person)):
            lacked.update(missing)
            lacking.append(RejectedRow(person.row, person.phone, "missing_variable", _cells(request, person)))
        else:
            people.append(person)
    if not people:
        rejected = [*request.rejected, *lacking]
        raise Refused(
            "ALL_INVALID",
            "None of the {count} recipients can be sent to.{lacked}",
            {
                **({"missing_variables": dict(lacked)} if lacked else {}),
                "invalid": [
                    {"phone": row.raw[:PHONE_KEPT], "row": row.row, "reason": row.reason}
                    for row in rejected[:INVALID_SAMPLE]
                ],
                "invalid_recipients_count": len(rejected),
            },
            count=len(rejected),
            lacked=_lacked(lacked),
        )
    return people, lacking


def _lacked(counts: Mapping[str, int]) -> str:
    """Which variables of the message were not there, and for how many people."""
    return "".join(f" {{{name}}} has no value for {count} of them." for name, count in counts.items())


def _cells(request: Launch, person: Person) -> tuple[str, ...]:
    values = {template.variable_key(name): value for name, value in values_of(person).items()}
    values[template.variable_key(request.phone_header)] = person.phone
    return tuple(values.get(template.variable_key(header), "") for header in request.headers)
