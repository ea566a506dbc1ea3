"""Parts of a page that draw themselves anew: one for each rate of refresh."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from console import gate


def every(seconds: float, draw: Callable[[], None]) -> None:
    """Draw now and every so many seconds, until the session is over."""

    def part() -> None:
        gate.check()
        draw()

    # A fragment is known by its function's name; each of ours must have one of its own.
    part.__qualname__ = f"{draw.__module__}.{draw.__qualname__}"
    part.__module__ = draw.__module__
    st.fragment(part, run_every=seconds)()
