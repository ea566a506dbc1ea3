"""What it says: the text with its variables, as real people will get it, and a test to one's own phone."""

from __future__ import annotations

import streamlit as st

from console import drafting, shown
from console.drafting import Drafting
from console.parts import as_typed, bubble
from console.views.new_steps import to_me
from console.words import _, _n, right_to_left
from domain import template
from domain.limits import LONGEST_MESSAGE
from domain.people import Person
from services import draft_people

BUTTONS = 12  # variables that have a button; a file may have a hundred


def draw(now: Drafting) -> None:
    """Draw the step: the text, and beside it what people get."""
    editor, preview = st.columns([3, 2], gap="large")
    with editor:
        _draw_editor(now)
    with preview:
        person = _draw_preview(now)
        to_me.draw(now, person)


def _draw_editor(now: Drafting) -> None:
    key = f"message {now.draft.id}"
    # The first save of a draft makes it, and its field a new one: under one's fingers that would take the cursor away.
    with st.container(key=as_typed.KEY if now.draft.id else None):
        typed = st.text_area(
            _("Message"),
            value=now.draft.message,
            key=key,
            height=220,
            max_chars=LONGEST_MESSAGE,
            placeholder=_("Hello {name}, …", name=f"{{name|{_('there')}}}"),
            on_change=lambda: drafting.save({"message": st.session_state[key]}),
        )
        as_typed.watch()
    drafting.catch_up("message", typed, now.draft.message)
    if now.variables:
        st.caption(_("Put in what stands in your file, for each person their own:"))
        with st.container(horizontal=True, gap="small"):
            for name in now.variables[:BUTTONS]:
                st.button(f"{{{shown.plain(name)}}}", key=f"put {name}", on_click=_put, args=(key, name))
        st.caption(
            _(
                "{example} says “there” to people for whom nothing stands there.",
                example=shown.isolated(f"`{{{now.variables[0].replace('`', '')}|{_('there')}}}`"),
            )
        )
    _draw_faults(now)


def _put(key: str, name: str) -> None:
    text = str(st.session_state[key])
    between = "" if not text or text[-1].isspace() else " "
    st.session_state[key] = f"{text}{between}{{{name}}}"
    drafting.save({"message": st.session_state[key]})


def _draw_faults(now: Drafting) -> None:
    try:
        template.parse(now.draft.message)
    except template.TemplateError as error:
        at = _("character {number}", number=shown.number(error.position))
        # A name is somebody's; the other values are braces.
        values = {
            name: shown.plain(value) if name == "name" else shown.isolated(value)
            for name, value in error.values.items()
        }
        st.error(f"{_(error.words, **values)} ({at})", icon=":material/error:")
    draw_missing(now)


def draw_missing(now: Drafting) -> None:
    """Which variables the file does not have, often for a slip of the pen, and which have no value for how many people, who
    are left out."""
    unknown = draft_people.unknown_variables(now.draft) if now.people else []
    for name in unknown:
        columns = " ".join(_in_braces(column) for column in now.variables[:BUTTONS])
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


def _in_braces(name: str) -> str:
    return shown.isolated(f"`{{{name.replace('`', '')}}}`")


def _draw_preview(now: Drafting) -> Person | None:
    """What a real person gets; who that is stands in the address. Returns them."""
    if not now.people:
        st.caption(_("When you have uploaded people, you see here what they get."))
        if now.draft.message.strip():
            bubble.draw(now.draft.message)
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


def _draw_step(person: Person, icon: str, help: str, key: str) -> None:
    st.button("", icon=icon, help=help, key=key, on_click=_show, args=(person,))


def called(person: Person) -> str:
    """Name and number of a person."""
    return " · ".join(filter(None, [shown.plain(person.name), shown.phone(person.phone)]))


def receives(now: Drafting, person: Person) -> bool:
    """Whether this person has a value for all that the message needs."""
    try:
        return not template.missing(template.parse(now.draft.message), person.variables)
    except template.TemplateError:
        return False


def draw_bubble(now: Drafting, person: Person) -> None:
    """The message as this person gets it; what they lack stands in it as it was written, and is said."""
    if not now.draft.message.strip():
        bubble.draw("…")
        return
    try:
        text, missing = draft_people.rendered(now.draft.message, person)
    except template.TemplateError:
        bubble.draw(now.draft.message)
        return
    bubble.draw(text)
    if missing:
        st.caption(f":material/warning: {_('This person lacks a value, and would not receive it.')}")


def _place(people: list[Person]) -> int:
    asked = st.query_params.get("person", "")
    return next((place for place, person in enumerate(people) if str(person.row) == asked), 0)


def _show(person: Person) -> None:
    st.query_params["person"] = str(person.row)
