"""What is on every page: the switch for all sending with its state, the search, the language, and the way out."""

from __future__ import annotations

import streamlit as st
from sqlalchemy import Connection

from console import gate, links, live, reading, shown, writing
from console.parts import faults
from console.words import _, _n
from services import control, metrics, system_views

STATE_S = 5.0


def draw() -> None:
    """The header of every page."""
    writing.show_told()
    with st.container(horizontal=True, vertical_alignment="center", key="header", gap="medium"):
        with st.container(width="content", key="switch"):
            live.every(STATE_S, _switch)
        with st.container(width=210, key="search-anywhere"):
            _search()
        with st.popover(gate.visitor_name() or _("Account"), icon=":material/person:", type="tertiary"):
            gate.draw_languages()
            if st.button(_("Sign out"), icon=":material/logout:", type="tertiary"):
                gate.leave()
                st.rerun()


def _switch() -> None:
    """Whether anything may be sent at all, and one press to stop it."""
    seen = reading.workspace()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if not seen.known or seen.stale:
            st.badge(_("Sending: not known"), icon=":material/help:", color="gray")
        elif seen.value.sending_stopped_at is not None:
            since = shown.moment(seen.value.sending_stopped_at, seen.value.time_zone)
            st.badge(_("All sending is stopped since {time}", time=since), icon=":material/front_hand:", color="red")
            if st.button(_("Start sending…"), icon=":material/play_arrow:", key="go"):
                _confirm_go()
            return
        elif _in_trouble():
            st.badge(_("Sending is in trouble"), icon=":material/error:", color="red")
            links.link(_("Why?"), "system")
        else:
            st.badge(_("Sending is on"), icon=":material/check_circle:", color="green")
        # Pressed in a hurry, so it asks nothing; what it stops waits and is not lost.
        if st.button(_("Stop all sending"), icon=":material/front_hand:", key="stop-all"):
            _stop()


def _in_trouble() -> bool:
    """Whether it is known that nothing goes out, from some phones at least."""
    seen = reading.read_within(STATE_S, system_views.read)
    return seen.known and not seen.stale and bool(faults.grave(seen.value.faults))


def _stop() -> None:
    if writing.once("stop", _stop_all, said=_("All sending is stopped. Messages already handed to phones may go out.")):
        st.rerun()


def _confirm_go() -> None:
    @st.dialog(_("Start sending again?"), on_dismiss="ignore")
    def dialog() -> None:
        seen = reading.read(metrics.read)
        if seen.known:
            waiting = seen.value.pending_count
            st.write(
                _n(
                    "{count} message waits and will begin to go out.",
                    "{count} messages wait and will begin to go out.",
                    waiting,
                    count=shown.number(waiting),
                )
                if waiting
                else _("Nothing waits to be sent now.")
            )
        if st.button(_("Start sending"), type="primary", icon=":material/play_arrow:") and writing.once(
            "go", _go, said=_("Sending is on.")
        ):
            st.rerun()

    dialog()


def _stop_all(db: Connection, workspace_id: int) -> dict[str, bool]:
    control.stop_all(db, workspace_id, who=writing.who())
    return {"stopped": True}


def _go(db: Connection, workspace_id: int) -> dict[str, bool]:
    control.go(db, workspace_id, who=writing.who())
    return {"stopped": False}


def _search() -> None:
    def search() -> None:
        if asked := str(st.session_state.get("number-anywhere") or "").strip():
            st.session_state["number-asked"] = asked
            st.session_state["number-anywhere"] = ""

    st.text_input(
        _("Find a phone number"),
        key="number-anywhere",
        placeholder=_("Find a phone number"),
        label_visibility="collapsed",
        icon=":material/search:",
        max_chars=64,
        on_change=search,
    )
    if asked := st.session_state.pop("number-asked", None):
        links.go("search", phone=asked)
