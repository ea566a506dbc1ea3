"""A text of one's own, with the variables of the file."""

from __future__ import annotations

import streamlit as st

from console import drafting, shown
from console.drafting import Drafting
from console.parts import as_typed
from console.views.new_steps import preview
from console.words import _
from domain import template
from domain.limits import LONGEST_MESSAGE

BUTTONS = 12  # variables that have a button; a file may have a hundred


def draw(now: Drafting) -> None:
    """The field, the variables to put in, and what is wrong with it."""
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
        draw_example(now)
    try:
        template.parse(now.draft.message)
    except template.TemplateError as error:
        draw_fault(error)
    preview.draw_missing(now)


def draw_example(now: Drafting) -> None:
    """How a variable gets a fallback."""
    st.caption(
        _(
            "{example} says “there” to people for whom nothing stands there.",
            example=shown.isolated(f"`{{{now.variables[0].replace('`', '')}|{_('there')}}}`"),
        )
    )


def draw_fault(error: template.TemplateError) -> None:
    """What is wrong with the braces of a text."""
    at = _("character {number}", number=shown.number(error.position))
    # A name is somebody's; the other values are braces.
    values = {
        name: shown.plain(value) if name == "name" else shown.isolated(value) for name, value in error.values.items()
    }
    st.error(f"{_(error.words, **values)} ({at})", icon=":material/error:")


def _put(key: str, name: str) -> None:
    text = str(st.session_state[key])
    st.session_state[key] = with_variable(text, name)
    drafting.save({"message": st.session_state[key]})


def with_variable(text: str, name: str) -> str:
    """The text with a variable put in at its end."""
    between = "" if not text or text[-1].isspace() else " "
    return f"{text}{between}{{{name}}}"
