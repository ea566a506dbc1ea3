"""What was sent and what failed, minute by minute, as two pictures on one line of time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from console import reading, shown
from console.words import _
from services import rates
from services.rates import Bucket

HOURS: Final = tuple(rates.BUCKETS)
REFRESH_S: Final = 30.0
LATE: Final = timedelta(minutes=3)  # a minute is counted within seconds of its end
HEIGHT: Final = 300
LEAST: Final = 4.0  # a minute; a scale that ends lower makes a mountain of one message
SENT, FAILED, GRID, INK = "#0B6E63", "#B45309", "#E6E2D8", "#5F6672"
_CONFIG: Final[dict[str, Any]] = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}


def draw() -> None:
    """The last hours of the workspace; how many of them is in the address."""

    def choose() -> None:
        st.query_params["hours"] = str(st.session_state["chart-hours"])

    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(_("Sent and failed"), width="content")
        st.space("stretch")
        st.session_state["chart-hours"] = _hours()
        st.segmented_control(
            _("How far back"),
            HOURS,
            format_func=lambda hours: _("{hours} h", hours=shown.number(hours)),
            required=True,
            key="chart-hours",
            on_change=choose,
            label_visibility="collapsed",
        )
    seen = reading.read_within(REFRESH_S / 2, rates.per_minute, hours=_hours())
    with reading.frame(seen, name="chart") as known:
        if known and seen.value:
            _draw(seen.value, timedelta(minutes=rates.BUCKETS[_hours()]), seen.at)
        elif known:
            st.caption(_("Nothing was counted yet. The first minute appears here when it is over."))


def _draw(buckets: Sequence[Bucket], length: timedelta, now: datetime) -> None:
    figure = _figure(buckets, length, ZoneInfo(reading.zone()))
    st.plotly_chart(figure, key="chart", config=_CONFIG, alt=_("Sent per minute and failed per minute, over time"))
    until = buckets[-1].at + length
    if now - until > LATE:
        since = shown.moment(until, reading.zone())
        st.caption(_("Counted until {time}; what was sent after that is not known yet.", time=since))


def _hours() -> int:
    asked = st.query_params.get("hours", "")
    return next((hours for hours in HOURS if str(hours) == asked), HOURS[0])


def _figure(buckets: Sequence[Bucket], length: timedelta, zone: ZoneInfo) -> go.Figure:
    """Two rows with a title and a scale of their own: failures are few, and would be a line on the ground beside what is
    sent; and which is which does not hang on a colour."""
    rows = (
        (_("Sent per minute"), SENT, "", [bucket.sent for bucket in buckets]),
        (_("Failed per minute"), FAILED, "/", [bucket.failed for bucket in buckets]),
    )
    # Plotly knows no time zones: it is given the time as the clock on the wall shows it.
    at = [bucket.at.astimezone(zone).replace(tzinfo=None) for bucket in buckets]
    length_ms = length / timedelta(milliseconds=1)
    figure = make_subplots(
        rows=2,
        cols=1,
        shared_xaxes=True,
        row_heights=[0.64, 0.36],
        vertical_spacing=0.2,
        subplot_titles=[title for title, *_rest in rows],
    )
    for row, (title, color, pattern, values) in enumerate(rows, start=1):
        bars = go.Bar(
            x=at,
            y=values,
            name=title,
            offset=0,
            width=0.85 * length_ms,
            marker={"color": color, "line_width": 0, "pattern": {"shape": pattern, "solidity": 0.5}},
            hovertemplate="%{y:,.1~f}<extra></extra>",
        )
        figure.add_trace(bars, row=row, col=1)
        figure.update_yaxes(range=[0, max(LEAST, 1.12 * max(values))], row=row, col=1)
    figure.update_xaxes(
        range=[at[0], at[-1] + length],
        fixedrange=True,
        showgrid=False,
        tickformat="%H:%M",
        hoverformat="%H:%M",
        color=INK,
        nticks=7,
    )
    figure.update_yaxes(fixedrange=True, gridcolor=GRID, nticks=4, tickformat=",~r", color=INK, zerolinecolor=GRID)
    figure.update_annotations(x=0, xanchor="left", font={"size": 13, "color": INK})
    figure.update_layout(
        height=HEIGHT,
        showlegend=False,
        hovermode="x",
        dragmode=False,
        margin={"l": 8, "r": 8, "t": 28, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    return figure
