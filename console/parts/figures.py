"""Figures in a row that wraps: two in a line on a phone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

WIDTH = 164


class Figure(NamedTuple):
    """A number under its name. ``value`` and ``note`` are made by console/shown.py."""

    label: str
    value: str
    note: str | None = None
    help: str | None = None


def draw(figures: Sequence[Figure]) -> None:
    """Draw them side by side."""
    with st.container(horizontal=True, gap="small"):
        for figure in figures:
            st.metric(
                figure.label,
                figure.value,
                delta=figure.note,
                delta_color="off",
                delta_arrow="off",
                help=figure.help,
                border=True,
                width=WIDTH,
                height="stretch",
            )
