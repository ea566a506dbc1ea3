"""The dialog that pairs a phone: its QR code until it is scanned, or a code to type into the phone in its place."""

from __future__ import annotations

from datetime import UTC, datetime

import segno
import streamlit as st
from sqlalchemy.exc import SQLAlchemyError

from console import live, reading, refusals, shown, words, writing
from console.views.device_parts.actions import ordered
from console.words import _
from console.world import world
from services import sessions
from services.device_views import DeviceView
from services.refused import Refused
from services.repeats import Answer
from services.sessions import Command, Pairing, PairingState, Qr, Run
from services.single import checked_number

LOOK_S = 2.0
SIZE = 264  # pixels


def close() -> None:
    """The dialog is gone from the address."""
    st.query_params.pop("scan", None)


def dialog(device: DeviceView) -> None:
    """Open it."""

    @st.dialog(_("Connect {name}", name=shown.plain(device.name)), icon=":material/qr_code_2:", on_dismiss=close)
    def opened() -> None:
        def watch() -> None:
            _watch(device)

        live.every(LOOK_S, watch)
        if st.session_state.get(_connected(device)):
            return
        # Outside of what refreshes, so that a number that is being typed stays.
        with st.expander(_("Link with the phone number instead"), icon=":material/dialpad:"):
            _draw_pairing_code(device)

    opened()


def _watch(device: DeviceView) -> None:
    try:
        pairing = sessions.pairing(writing.run_here, world().bridges, device.id)
    except SQLAlchemyError:
        st.warning(_("The database does not answer. This tries again by itself."), icon=":material/cloud_off:")
        return
    except Refused as refused:
        st.error(refusals.in_words(refused), icon=":material/error:")
        return
    connected = pairing.state is PairingState.CONNECTED
    if connected != st.session_state.get(_connected(device), False):
        # What else the dialog offers, and the page behind it, depend on this.
        st.session_state[_connected(device)] = connected
        reading.expire()
        st.rerun()
    match pairing.state:
        case PairingState.WAITING:
            _draw_waiting(device, pairing.qr)
        case PairingState.SCANNED:
            st.info(_("Scanned. The phone is connecting; this takes a few seconds."), icon=":material/hourglass_top:")
        case PairingState.CONNECTED:
            _draw_connected(pairing)
        case PairingState.EXPIRED:
            st.warning(_("There is no code to scan any more."), icon=":material/timer_off:")
            _draw_start(device, _("Show a new code"))
        case PairingState.FAILED:
            st.error(words.reason(pairing.code), icon=":material/error:")
            _draw_start(device, _("Try again"))


def _connected(device: DeviceView) -> str:
    return f"connected {device.id}"


def _draw_waiting(device: DeviceView, qr: Qr | None) -> None:
    st.markdown(
        "\n".join(
            [
                f"1. {_('Open WhatsApp on the phone.')}",
                f"2. {_('Go to Settings, Linked devices, Link a device.')}",
                f"3. {_('Point the phone at this code.')}",
            ]
        )
    )
    if qr is None:
        st.info(_("The code is on its way…"), icon=":material/hourglass_top:")
        return
    with st.container(horizontal_alignment="center"):
        st.image(
            segno.make_qr(qr.qr).svg_inline(scale=6, border=4, light="white"), width=SIZE, alt=_("QR code to scan")
        )
        if qr.expires_at is not None:
            left = max(0, round((qr.expires_at - datetime.now(UTC)).total_seconds()))
            st.caption(_("A new code comes in {seconds} s", seconds=shown.number(left)), width="content")


def _draw_connected(pairing: Pairing) -> None:
    told = _("Connected as {phone}.", phone=shown.phone(pairing.phone)) if pairing.phone else _("Connected.")
    st.success(told, icon=":material/check_circle:")
    if st.button(_("Done"), type="primary"):
        close()
        reading.expire()
        st.rerun()


def _draw_start(device: DeviceView, label: str) -> None:
    if st.button(label, type="primary", icon=":material/refresh:") and ordered(device.id, Command.START):
        st.rerun(scope="fragment")


def _draw_pairing_code(device: DeviceView) -> None:
    """A code that is typed into the phone in the place of scanning."""
    with st.form(f"pairing {device.id}", border=False):
        number = st.text_input(
            _("Its phone number"), value=device.phone or "", placeholder=shown.isolated("+972 50 123 4567")
        )
        asked = st.form_submit_button(_("Get a code"))
    if not asked:
        return

    def pair(run: Run) -> Answer:
        phone = checked_number(number, world().settings.default_country)
        return {"code": sessions.pairing_code(run, world().bridges, device.id, phone, who=writing.who())}

    answer = writing.at_bridge(pair)
    if answer is not None:
        st.metric(_("Type this into the phone"), shown.isolated(str(answer["code"])))
        st.caption(_("On the phone: Settings, Linked devices, Link a device, Link with phone number instead."))
