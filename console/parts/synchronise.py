"""The button that asks Meta for all templates now, and when that was done last."""

from __future__ import annotations

import streamlit as st

from console import reading, shown, writing
from console.words import _
from console.world import world
from services import sync_templates, templates
from services.repeats import Answer
from services.sessions import Run


def draw(*, place: str) -> None:
    """The button, and when it was last done. ``place`` is unique on the page."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.button(
            _("Synchronise templates"),
            icon=":material/sync:",
            key=f"synchronise {place}",
            help=_("Asks Meta for all templates now. It is done every five minutes anyhow."),
        ):
            _synchronise()
        seen = reading.read(templates.synced_at)
        if seen.known:
            last = _("never until now")
            if seen.value is not None:
                last = _("last {time}", time=shown.moment(seen.value, reading.zone()))
            st.caption(last, width="content")


def _synchronise() -> None:
    def ask(_run: Run) -> Answer:
        fetched = sync_templates.sync_all(world().run, world().cloud)
        return {
            "troubles": [account.trouble for account in fetched if account.trouble],
            "unsubscribed": [account.unsubscribed for account in fetched if account.unsubscribed],
        }

    with st.spinner(_("Asking Meta…")):
        done = writing.at_bridge(ask)
    if done is None:
        return
    for trouble in done["troubles"]:
        st.error(_("Meta did not give its templates: {told}", told=shown.plain(trouble)), icon=":material/error:")
    for trouble in done["unsubscribed"]:
        st.error(_("Meta does not send its receipts here: {told}", told=shown.plain(trouble)), icon=":material/error:")
    if not done["troubles"] and not done["unsubscribed"]:
        writing.tell(_("The templates are as Meta has them now."))
        st.rerun()
