"""A phone's name, pace and limits, which can be changed at any time."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st
from sqlalchemy import Connection

from console import writing
from console.words import _
from services.change_device import change_device
from services.device_views import DeviceView

LONGEST_GAP_S: Final = 86_400.0
LARGEST_CAP: Final = 10_000_000
FASTEST: Final = 1_000.0  # messages a second


def draw(device: DeviceView) -> None:
    """The form."""
    st.subheader(_("Name, pace and limits"))
    with st.form(f"pace {device.id}", width=560):
        name = st.text_input(_("Name"), value=device.name, max_chars=100)
        gap_s = _rate(device) if device.provider == "cloud" else _gap(device)
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


def _gap(device: DeviceView) -> float:
    return st.number_input(
        _("Least pause between two messages, in seconds"),
        value=device.min_gap_s,
        min_value=0.0,
        max_value=LONGEST_GAP_S,
        step=1.0,
        format="%g",
        help=_("Real phones need pauses of several seconds, or WhatsApp restricts the number."),
    )


def _rate(device: DeviceView) -> float:
    """The pace of an official number, which is many messages a second; returns it as the gap that it is."""
    now = FASTEST if not device.min_gap_s else min(FASTEST, round(1 / device.min_gap_s, 3))
    rate = st.number_input(
        _("Most messages a second"),
        value=now,
        min_value=round(1 / LONGEST_GAP_S, 5),
        max_value=FASTEST,
        step=10.0,
        format="%g",
        help=_("Meta takes 80 a second of a number, and up to 1,000 of one that it has raised."),
    )
    return device.min_gap_s if rate == now else 1 / rate


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
