"""A test to one's own phone: the message as a real person would get it, outside of all counts."""

from __future__ import annotations

import streamlit as st
from sqlalchemy import Connection

from console import links, live, reading, writing
from console.drafting import Drafting
from console.parts import senders, status
from console.words import _, reason
from domain.people import Person
from services import message_views, send_test
from services.device_views import every

REFRESH_S = 2.0


def draw(now: Drafting, person: Person | None) -> None:
    """Draw the form, and how the last test stands; the test is in the address."""
    with st.expander(_("Send a test to me"), icon=":material/send_to_mobile:", expanded="test" in st.query_params):
        phones = reading.read(every)
        offered = senders.offered(now.draft, phones.value) if phones.known else []
        names = {phone.id: phone.name for phone in offered}
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
            live.every(REFRESH_S, _draw_status)


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


def _draw_status() -> None:
    seen = reading.read(message_views.one, links.number("test") or 0)
    if not seen.known or seen.value is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(_("Your test:"), width="content")
        status.message_badge(seen.value["status"])
        if seen.value["code"]:
            st.caption(reason(seen.value["code"]), width="content")
