"""What only an official number has: its access token, what Meta tells of it, its templates, and the way for webhooks."""

from __future__ import annotations

import streamlit as st

from console import shown, writing
from console.views.device_parts import add_official, alerts, templates, webhook
from console.words import _
from console.world import world
from domain.condition import Condition
from services import cloud_numbers
from services.device_views import DeviceView
from services.repeats import Answer
from services.sessions import Run


def draw(device: DeviceView) -> None:
    """All of it, below what refreshes."""
    if trouble := st.session_state.get(add_official.TROUBLE.format(device.id)):
        st.warning(_("Not all is set up at Meta yet: {told}", told=shown.plain(trouble)), icon=":material/warning:")
    _draw_token(device)
    webhook.draw()
    alerts.draw(device)
    templates.draw(device)


def _draw_token(device: DeviceView) -> None:
    """The way out when Meta does not take its token any more, and for those who change tokens by themselves."""
    refused = device.condition is Condition.TOKEN_REFUSED
    with (
        st.expander(_("Replace its access token"), icon=":material/key:", expanded=refused),
        st.form(f"token {device.id}", border=False, clear_on_submit=True),
    ):
        token = st.text_input(
            _("New access token"),
            key=f"new token {device.id}",
            type="password",
            autocomplete="off",
            help=_("Meta is asked whether it opens this number. It is kept encrypted and never shown again."),
        )
        if st.form_submit_button(_("Ask Meta and replace it"), type="primary"):
            _replace(device, token.strip())


def _replace(device: DeviceView, token: str) -> None:
    def ask(run: Run) -> Answer:
        cloud_numbers.replace_token(run, world().cloud, device.id, token, who=writing.who())
        return {"device_id": device.id}

    with st.spinner(_("Asking Meta…")):
        replaced = writing.at_bridge(ask, said=_("The token is replaced. It counts within seconds."))
    if replaced is not None:
        st.rerun()
