"""What it says: the text with its variables, as real people will get it, and a test to one's own phone."""

from __future__ import annotations

import streamlit as st
from sqlalchemy import Connection

from console import drafting, live, reading, shown, writing
from console.drafting import Drafting
from console.parts import bubble, status
from console.words import _, _n, reason
from domain import template
from domain.limits import LONGEST_MESSAGE
from domain.people import Person
from services import draft_people, message_views, send_test
from services.device_views import every

BUTTONS = 12  # variables that have a button; a file may have a hundred
TEST_S = 2.0


def draw(now: Drafting) -> None:
    """Draw the step: the text, and beside it what people get."""
    editor, preview = st.columns([3, 2], gap="large")
    with editor:
        _draw_editor(now)
    with preview:
        person = _draw_preview(now)
        _draw_test(now, person)


def _draw_editor(now: Drafting) -> None:
    key = f"message {now.draft.id}"
    st.text_area(
        _("Message"),
        value=now.draft.message,
        key=key,
        height=220,
        max_chars=LONGEST_MESSAGE,
        placeholder=_("Hello {name|there}, …"),
        on_change=lambda: drafting.save({"message": st.session_state[key]}),
    )
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
        at = shown.number(error.position)
        st.error(f"{_(error.words)} ({_('character {number}', number=at)})", icon=":material/error:")
    draw_missing(now)


def draw_missing(now: Drafting) -> None:
    """Which variables have no value for how many people, who are left out."""
    for name, n in now.sums.missing.items():
        variable = shown.isolated(f"`{{{name.replace('`', '')}}}`")
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
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "",
            icon=":material/chevron_left:",
            key="person before",
            on_click=_show,
            args=(now.people[at - 1],),
            help=_("Person before"),
        )
        st.caption(called(person), width="content")
        after = now.people[(at + 1) % len(now.people)]
        st.button(
            "",
            icon=":material/chevron_right:",
            key="person after",
            on_click=_show,
            args=(after,),
            help=_("Next person"),
        )
    draw_bubble(now, person)
    return person


def called(person: Person) -> str:
    """Name and number of a person."""
    return " · ".join(filter(None, [shown.plain(person.name), shown.phone(person.phone)]))


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


def _draw_test(now: Drafting, person: Person | None) -> None:
    with st.expander(_("Send a test to me"), icon=":material/send_to_mobile:", expanded="test" in st.query_params):
        phones = reading.read(every)
        names = {phone.id: phone.name for phone in phones.value} if phones.known else {}
        number = st.text_input(
            _("Your number"), key="my number", max_chars=64, type="phone", placeholder="+972 50-123-4567"
        )
        device = st.selectbox(
            _("From"),
            [None, *names],
            format_func=lambda device_id: names.get(device_id) or _("Any phone that can send"),
            key="test from",
        )
        if st.button(_("Send the test"), icon=":material/send:", disabled=not now.draft.message.strip()):
            _send(now, person, number, device)
        st.caption(_("It goes out now and counts nowhere."))
        if "test" in st.query_params:
            live.every(TEST_S, _draw_test_status)


def _send(now: Drafting, person: Person | None, number: str, device_id: int | None) -> None:
    row = None if person is None else person.row

    def work(db: Connection, workspace_id: int) -> dict[str, int]:
        queued = send_test.send_test(
            db,
            workspace_id,
            now.draft.id,
            number=number,
            row=row,
            device_id=device_id,
            default_country=reading.here(db).default_country,
            who=writing.who(),
        )
        return {"message": queued.id}

    answer = writing.once(f"test {now.draft.id}", work, asked=[number, row, device_id])
    if answer is not None:
        st.query_params["test"] = str(answer["message"])


def _draw_test_status() -> None:
    asked = st.query_params.get("test", "")
    seen = reading.read(message_views.one, int(asked) if asked.isdigit() and len(asked) < 19 else 0)
    if not seen.known or seen.value is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(_("Your test:"), width="content")
        status.message_badge(seen.value["status"])
        if seen.value["code"]:
            st.caption(reason(seen.value["code"]), width="content")
