"""Which of our phones need what before they can send."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import streamlit as st

from console import links, shown
from console.parts import condition
from console.words import _, _n
from domain.condition import Condition, urgency
from services.device_views import DeviceView

LISTED = 5
ABLE: Final = frozenset({Condition.READY, Condition.AT_CAP})  # at its cap it goes on by itself


def draw(phones: Iterable[DeviceView]) -> None:
    """Those of these phones that cannot send, the worst first, each with what it needs."""
    unable = sorted(
        (phone for phone in phones if phone.condition not in ABLE),
        key=lambda phone: urgency(phone.condition, phone.waiting_count),
    )
    if not unable:
        return
    with st.container(border=True, gap="small"):
        for phone in unable[:LISTED]:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(f"**{shown.plain(phone.name)}**", width="content")
                condition.badge(phone.condition)
            st.caption(condition.told(phone))
        if (more := len(unable) - LISTED) > 0:
            st.caption(_n("and {count} more", "and {count} more", more, count=shown.number(more)))
        links.link(_("To the phones"), "devices", icon=":material/smartphone:")
