"""The machine room: is all well, and if not, what is wrong; then everything that runs and waits, and who did what."""

from __future__ import annotations

import streamlit as st

from console import live, reading
from console.parts import faults
from console.views.system_parts import machines, trail
from console.words import _
from services import system_views
from services.system_views import SystemView

REFRESH_S = 5


def _now() -> None:
    seen = reading.read(system_views.read)
    with reading.frame(seen, name="system") as known:
        if known:
            _draw_verdict(seen.value, stale=seen.stale)
            machines.draw_figures(seen.value)
            machines.draw_processes(seen.value)
            machines.draw_queues(seen.value.queues)
            machines.draw_bridges(seen.value.bridges)
            machines.draw_versions(seen.value)
            reading.updated(seen)


def _draw_verdict(system: SystemView, *, stale: bool) -> None:
    if not system.faults and not stale:
        well = _("All is well: everything runs, and nothing waits longer than it must.")
        st.success(well, icon=":material/check_circle:")
    faults.draw(system, system.faults)


st.title(_("System"))
live.every(REFRESH_S, _now)
trail.draw()
