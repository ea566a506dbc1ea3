"""The machine room: is all well, and if not, what is wrong; then everything that runs and waits, and who did what."""

from __future__ import annotations

import streamlit as st

from console import live, reading
from console.views.system_parts import machines, trail, verdict
from console.words import _
from services import system_views

REFRESH_S = 5


def _now() -> None:
    seen = reading.read(system_views.read)
    with reading.frame(seen, name="system") as known:
        if known:
            verdict.draw(seen.value)
            machines.draw_figures(seen.value)
            machines.draw_processes(seen.value)
            machines.draw_queues(seen.value.queues)
            machines.draw_bridges(seen.value.bridges)
            machines.draw_versions(seen.value)
            reading.updated(seen)


st.title(_("System"))
live.every(REFRESH_S, _now)
trail.draw()
