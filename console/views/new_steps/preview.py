"""The message as real people will get it, and who of them lacks what it needs."""

from __future__ import annotations

import streamlit as st

from console import shown
from console.drafting import Drafting
from console.parts import bubble, template_bubble, template_words
from console.words import _, _n, right_to_left
from domain import cloud_filling, cloud_template, template
from domain.people import Person
from services import draft_people

COLUMNS = 12  # of a file that are named; it may have a hundred


def draw(now: Drafting) -> Person | None:
    """What a real person gets; who that is stands in the address. Returns them."""
    if not now.people:
        st.caption(_("When you have uploaded people, you see here what they get."))
        draw_bubble(now, None)
        return None
    st.markdown(_("As real people get it"))
    at = _place(now.people)
    person = now.people[at]
    back, on = ":material/chevron_left:", ":material/chevron_right:"
    if right_to_left():
        back, on = on, back
    with st.container(horizontal=True, vertical_alignment="center"):
        _draw_step(now.people[at - 1], back, _("Person before"), "person before")
        st.caption(called(person), width="content")
        _draw_step(now.people[(at + 1) % len(now.people)], on, _("Next person"), "person after")
    draw_bubble(now, person)
    return person


def called(person: Person) -> str:
    """Name and number of a person."""
    return " · ".join(filter(None, [shown.plain(person.name), shown.phone(person.phone)]))


def receives(now: Drafting, person: Person) -> bool:
    """Whether this person has a value for all that the message needs."""
    filling = now.draft.template
    try:
        if filling is not None:
            cloud_template.filled(filling["components"], filling["values"], person.variables)
            return True
        return not template.missing(template.parse(now.draft.message), person.variables)
    except (template.TemplateError, template.MissingValuesError):
        return False


def draw_bubble(now: Drafting, person: Person | None) -> None:
    """The message as this person gets it, or as it was written; what they lack stands in it as it was written, and is
    said."""
    filling = now.draft.template
    if filling is not None:
        # What nothing fills yet stands in it by its own sign, as text.
        places = cloud_template.asked(filling["components"]).places
        signs = {place.key: cloud_filling.literal(template_words.sign(place)) for place in places}
        values = {key: filling["values"].get(key, "").strip() or sign for key, sign in signs.items()}
        file = None if now.media is None else now.media.filename
        template_bubble.draw({**filling, "values": values}, file, lambda words: _written(words, person))
    elif now.draft.message.strip():
        bubble.draw(_written(now.draft.message, person))
    elif person is not None:
        bubble.draw("…")
    if person is not None and _is_whole(now) and not receives(now, person):
        st.caption(f":material/warning: {_('This person lacks a value, and would not receive it.')}")


def draw_missing(now: Drafting) -> None:
    """Which variables the file does not have, often for a slip of the pen, and which have no value for how many people, who
    are left out."""
    unknown = draft_people.unknown_variables(now.draft) if now.people else []
    for name in unknown:
        columns = " ".join(_in_braces(column) for column in now.variables[:COLUMNS])
        st.warning(
            _(
                "The file has no column {variable}, so nobody has a value for it. It has: {columns}",
                variable=_in_braces(name),
                columns=columns,
            ),
            icon=":material/warning:",
        )
    for name, n in now.sums.missing.items():
        if name in unknown:
            continue
        variable = _in_braces(name)
        st.warning(
            _n(
                "{variable} has no value for {count} person, who would not receive it. Give it a fallback: {fallback}",
                "{variable} has no value for {count} people, who would not receive it. Give it a fallback: {fallback}",
                n,
                variable=variable,
                count=shown.number(n),
                fallback=shown.isolated(f"`{{{name.replace('`', '')}|…}}`"),
            ),
            icon=":material/warning:",
        )


def _is_whole(now: Drafting) -> bool:
    """Whether there is all of it, so that what a person does not get is for want of their own values."""
    filling = now.draft.template
    if filling is None:
        return bool(now.draft.message.strip())
    try:
        return not cloud_filling.unfilled(filling["components"], filling["values"])
    except template.TemplateError:
        return False


def _written(words: str, person: Person | None) -> str:
    if person is None:
        return words.replace("{{", "{").replace("}}", "}")
    try:
        return draft_people.rendered(words, person)[0]
    except template.TemplateError:
        return words


def _in_braces(name: str) -> str:
    return shown.isolated(f"`{{{name.replace('`', '')}}}`")


def _draw_step(person: Person, icon: str, help: str, key: str) -> None:
    st.button("", icon=icon, help=help, key=key, on_click=_show, args=(person,))


def _place(people: list[Person]) -> int:
    asked = st.query_params.get("person", "")
    return next((place for place, person in enumerate(people) if str(person.row) == asked), 0)


def _show(person: Person) -> None:
    st.query_params["person"] = str(person.row)
