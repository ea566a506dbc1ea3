"""One phone: how it is, what can be done with it, its pace and limits, and its end."""

from __future__ import annotations

from typing import Any

import streamlit as st
from sqlalchemy import Connection

from console import links, live, reading, shown, writing
from console.parts import condition, figures
from console.parts.figures import Figure
from console.views.device_parts import actions, facts, remove, scan
from console.words import _
from domain.condition import Condition
from services import device_views
from services.change_device import change_device
from services.device_views import DeviceView

REFRESH_S = 5
LONGEST_GAP_S = 86_400.0
LARGEST_CAP = 10_000_000


def draw(device_id: int) -> None:
    """The page of a phone."""
    links.link(_("All phones"), "devices", icon=":material/arrow_back:")
    seen = reading.read(device_views.one, device_id)
    if seen.known and seen.value is None:
        st.warning(_("There is no such phone (any more)."), icon=":material/smartphone:")
        return
    device = seen.value if seen.known else None
    st.title(shown.plain(device.name) if device else _("Phone"))
    if device and st.query_params.get("scan"):
        scan.dialog(device)

    def now() -> None:
        _now(device_id)

    live.every(REFRESH_S, now)
    if device:
        _draw_pace(device)
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
    figures.draw(
        [
            Figure(_("Sent today"), facts.today(device)),
            Figure(_("Waiting"), shown.number(device.waiting_count)),
        ]
    )
    st.caption(" · ".join(facts.of_its_session(device)))
    with st.container(horizontal=True, gap="small", key=f"actions-{device.id}"):
        if device.connected:
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


def _draw_pace(device: DeviceView) -> None:
    st.subheader(_("Name, pace and limits"))
    with st.form(f"pace {device.id}", width=560):
        name = st.text_input(_("Name"), value=device.name, max_chars=100)
        gap_s = st.number_input(
            _("Least pause between two messages, in seconds"),
            value=device.min_gap_s,
            min_value=0.0,
            max_value=LONGEST_GAP_S,
            step=1.0,
            format="%g",
            help=_("Real phones need pauses of several seconds, or WhatsApp restricts the number."),
        )
        daily = _cap(_("Most messages a day"), device.daily_cap, key=f"daily cap {device.id}")
        hourly = _cap(_("Most messages an hour"), device.hourly_cap, key=f"hourly cap {device.id}")
        asked = st.form_submit_button(_("Save"), type="primary")
    if not asked:
        return
    wanted = {"name": name.strip(), "min_gap_s": gap_s, "daily_cap": daily, "hourly_cap": hourly}
    changes = {field: value for field, value in wanted.items() if value != getattr(device, field)}
    if not wanted["name"]:
        st.error(_("A phone needs a name."))
    elif changes and writing.once(
        f"change phone {device.id}",
        lambda db, workspace_id: _change(db, workspace_id, device.id, changes),
        asked=changes,
        said=_("Saved."),
    ):
        st.rerun()


def _cap(label: str, value: int | None, *, key: str) -> int | None:
    # A field that begins with a value cannot be emptied; one whose value is put in afterwards can.
    key = f"{key} {value}"
    st.session_state.setdefault(key, value)
    return st.number_input(
        label,
        value=None,
        min_value=1,
        max_value=LARGEST_CAP,
        step=10,
        placeholder=_("No limit"),
        help=_("Empty: no limit. It counts at once."),
        key=key,
    )


def _change(db: Connection, workspace_id: int, device_id: int, changes: dict[str, Any]) -> dict[str, int]:
    change_device(db, workspace_id, device_id, changes, who=writing.who())
    return {"device_id": device_id}
