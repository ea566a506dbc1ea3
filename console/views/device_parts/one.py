"""One phone: how it is, what can be done with it, its pace and limits, and its end."""

from __future__ import annotations

import streamlit as st

from console import links, live, reading, shown
from console.parts import condition, figures
from console.parts.figures import Figure
from console.views.device_parts import actions, add_official, facts, official, pace, remove, scan, standing
from console.words import _
from domain.condition import Condition
from services import device_views
from services.device_views import DeviceView

REFRESH_S = 5


def draw(device_id: int) -> None:
    """The page of a phone."""
    links.link(_("All phones"), "devices", icon=":material/arrow_back:")
    seen = reading.read(device_views.one, device_id)
    if seen.known and seen.value is None:
        st.warning(_("There is no such phone (any more)."), icon=":material/smartphone:")
        return
    device = seen.value if seen.known else None
    st.title(shown.plain(device.name) if device else _("Phone"))
    if device and st.query_params.get("scan") and device.provider != add_official.PROVIDER:
        scan.dialog(device)

    def now() -> None:
        _now(device_id)

    live.every(REFRESH_S, now)
    if device:
        if device.provider == add_official.PROVIDER:
            official.draw(device)
        pace.draw(device)
        remove.draw(device)


def _now(device_id: int) -> None:
    seen = reading.read(device_views.one, device_id)
    with reading.frame(seen, name="phone") as known:
        if known and seen.value is not None:
            _draw_now(seen.value)
            reading.updated(seen)


def _draw_now(device: DeviceView) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        condition.badge(device.condition)
        st.markdown(facts.number(device), width="content")
    if device.condition is not Condition.READY:
        st.write(condition.told(device))
    is_official = device.provider == add_official.PROVIDER
    figures.draw(
        [
            Figure(_("Sent today"), facts.today(device)),
            Figure(_("Waiting"), shown.number(device.waiting_count)),
            *(standing.figures(device) if is_official else ()),
        ]
    )
    st.caption(" · ".join(facts.of_its_session(device)))
    with st.container(horizontal=True, gap="small", key=f"actions-{device.id}"):
        if is_official:
            actions.look_button(device, place="page")
        elif device.connected:
            actions.restart_button(device)
            actions.disconnect_button(device)
            actions.log_out_button(device)
        elif device.condition in (Condition.LOGGED_OUT, Condition.QR_REQUIRED):
            actions.scan_button(device, place="page")
        elif device.condition is Condition.STARTING:
            actions.scan_button(device, place="page")
            actions.restart_button(device)
        elif device.condition is not Condition.WRONG_BRIDGE:
            actions.start_button(device, place="page")
