"""What is done to a phone's session: scan, start, restart, disconnect, log out; each says what it means beforehand."""

from __future__ import annotations

import streamlit as st

from console import writing
from console.views.device_parts import facts
from console.words import _, _n
from console.world import world
from services import sessions
from services.device_views import DeviceView
from services.repeats import Answer
from services.sessions import Command, Run


def scan_button(device: DeviceView, *, place: str) -> None:
    """Show its QR code. A session that rests is started first, or there would be none."""
    label = _("Scan QR code")
    if st.button(label, icon=":material/qr_code_2:", type="primary", key=f"scan {device.id} {place}") and (
        device.state == "qr" or ordered(device.id, Command.START)
    ):
        st.query_params["device"] = str(device.id)
        st.query_params["scan"] = "1"
        st.rerun()


def start_button(device: DeviceView, *, place: str) -> None:
    if st.button(
        _("Start"), icon=":material/power_settings_new:", type="primary", key=f"start {device.id} {place}"
    ) and ordered(device.id, Command.START, said=_("It is starting. That takes a few seconds.")):
        st.rerun()


def restart_button(device: DeviceView) -> None:
    if st.button(
        _("Restart"),
        icon=":material/restart_alt:",
        key=f"restart {device.id}",
        help=_("Connects it to WhatsApp anew. It is back within seconds and keeps its messages."),
    ) and ordered(device.id, Command.RESTART, said=_("It is restarting. That takes a few seconds.")):
        st.rerun()


def look_button(device: DeviceView, *, place: str) -> None:
    """An official number has no session of its own: Meta is asked how it is."""
    if st.button(
        _("Ask Meta now"),
        icon=":material/refresh:",
        key=f"look {device.id} {place}",
        help=_("How this number is, and whether its access token is still taken."),
    ) and ordered(device.id, Command.START, said=_("Meta was asked.")):
        st.rerun()


def disconnect_button(device: DeviceView) -> None:
    if st.button(_("Disconnect…"), icon=":material/link_off:", key=f"disconnect {device.id}"):
        _confirm(
            device,
            Command.DISCONNECT,
            title=_("Disconnect this phone?"),
            what=_("It sends nothing until it is started again. It stays paired."),
            press=_("Disconnect"),
            said=_("It is disconnected."),
        )


def log_out_button(device: DeviceView) -> None:
    if st.button(_("Log out…"), icon=":material/logout:", key=f"logout {device.id}"):
        _confirm(
            device,
            Command.LOGOUT,
            title=_("Log this phone out of WhatsApp?"),
            what=_("It sends nothing until its QR code is scanned again."),
            press=_("Log out"),
            said=_("It is logged out."),
        )


def ordered(device_id: int, command: Command, said: str | None = None) -> Answer | None:
    """Have its bridge do it; None when that was refused, which is then shown."""

    def order(run: Run) -> Answer:
        sessions.order(run, world().bridges, device_id, command, who=writing.who())
        return {"device_id": device_id}

    return writing.at_bridge(order, said=said)


def _confirm(device: DeviceView, command: Command, *, title: str, what: str, press: str, said: str) -> None:
    @st.dialog(title, on_dismiss="ignore")
    def dialog() -> None:
        st.write(what)
        if device.waiting_count:
            waits = facts.waiting(device)
            st.write(
                _n(
                    "{waits}: it moves to other phones of its campaign that can send, or waits for this one.",
                    "{waits}: they move to other phones of their campaigns that can send, or wait for this one.",
                    device.waiting_count,
                    waits=waits,
                )
            )
        if st.button(press, type="primary", key=f"confirm {command} {device.id}") and ordered(
            device.id, command, said=said
        ):
            st.rerun()

    dialog()
