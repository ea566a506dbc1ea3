"""Our phones: those that need somebody first, the others in a table; ``?device=12`` is one of them."""

from __future__ import annotations

import streamlit as st

from console import links, live, reading, shown
from console.views.device_parts import add, cards, one, table
from console.words import _, _n
from services import device_views

REFRESH_S = 5


def _every() -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(_("Phones"), width="content")
        st.space("stretch")
        if st.button(_("Add a phone"), icon=":material/add:"):
            st.query_params["add"] = "1"
            st.rerun()
    if st.query_params.get("add"):
        add.dialog()
    live.every(REFRESH_S, _now)
    _draw_tables()


def _now() -> None:
    seen = reading.read(device_views.every)
    with reading.frame(seen, name="phones") as known:
        if not known:
            return
        if seen.value:
            cards.draw(seen.value)
        else:
            st.info(_("There is no phone to send from yet. Add the first one."), icon=":material/smartphone:")
        reading.updated(seen)


def _draw_tables() -> None:
    """Drawn once and not refreshed under the reader; a press or a reload makes them anew."""
    seen = reading.read(device_views.every)
    if not seen.known or not seen.value:
        return
    troubled = cards.in_trouble(seen.value)
    uncarded = troubled[cards.SHOWN :]
    if uncarded:
        words = _n("{count} more needs you", "{count} more need you", len(uncarded), count=shown.number(len(uncarded)))
        with st.expander(words, icon=":material/warning:"):
            table.draw(uncarded, key="more")
    others = [device for device in cards.sorted_by_urgency(seen.value) if device not in troubled]
    if others:
        count = shown.number(len(others))
        words = (
            _n("{count} other phone", "{count} other phones", len(others), count=count)
            if troubled
            else _n("{count} phone", "{count} phones", len(others), count=count)
        )
        with st.expander(words, icon=":material/smartphone:", expanded=not troubled):
            table.draw(others, key="others")


device_id = links.number("device")
if device_id is None:
    _every()
else:
    one.draw(device_id)
