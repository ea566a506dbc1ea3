"""Phones in a table: those that are well, and those for which there was no card."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from console import links, reading
from console.parts import condition
from console.views.device_parts import facts
from console.words import _
from services.device_views import DeviceView

ROWS = 12  # shown at once; the rest is scrolled to


def draw(devices: Sequence[DeviceView], *, key: str) -> None:
    """Pressing a phone opens it. ``key`` is unique on the page."""
    frame = pd.DataFrame(
        {
            "name": [device.name for device in devices],
            "phone": [facts.number(device) for device in devices],
            "state": [condition.words(device.condition) for device in devices],
            "today": [device.sent_today for device in devices],
            "limit": pd.array([device.daily_cap for device in devices], dtype="Int64"),
            "waiting": [device.waiting_count for device in devices],
            "last": pd.to_datetime([device.last_message_ts for device in devices], utc=True),
            "connected": [facts.connected_for(device) for device in devices],
        }
    )
    # A selection is a place in the table: with other phones in it, it is another table.
    ids = [device.id for device in devices]
    fingerprint = hashlib.sha256(str(ids).encode()).hexdigest()[:12]
    st.caption(_("Press a phone to open it."))
    pressed = st.dataframe(
        frame,
        hide_index=True,
        placeholder="–",
        height="content" if len(devices) <= ROWS else 35 * (ROWS + 1),
        on_select="rerun",
        selection_mode="single-cell",
        key=f"{key} {fingerprint}",
        column_config={
            "name": st.column_config.TextColumn(_("Name")),
            "phone": st.column_config.TextColumn(_("Number")),
            "state": st.column_config.TextColumn(_("State")),
            "today": st.column_config.NumberColumn(_("Sent today"), format="localized"),
            "limit": st.column_config.NumberColumn(_("Daily limit"), format="localized"),
            "waiting": st.column_config.NumberColumn(_("Waiting"), format="localized"),
            "last": st.column_config.DatetimeColumn(_("Last message"), format="D MMM, HH:mm", timezone=reading.zone()),
            "connected": st.column_config.TextColumn(_("Connected for")),
        },
    )
    cells = pressed["selection"]["cells"]
    if cells:
        links.go("devices", device=ids[cells[0][0]])
