"""What was sent and what failed, minute by minute, as two pictures on one line of time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import streamlit as st

from console import live, reading, shown
from console.words import _
from services import rates
from services.rates import Bucket

HOURS: Final = tuple(rates.BUCKETS)
REFRESH_S: Final = 30.0
MOMENT_S: Final = 0.5
LATE: Final = timedelta(minutes=3)  # a minute is counted within seconds of its end
HEIGHT: Final = 300
LEAST: Final = 4.0  # a minute; a scale that ends lower makes a mountain of one message
SENT, FAILED, GRID, INK = "#0B6E63", "#B45309", "#E6E2D8", "#5F6672"
_STRIPES: Final = {"shape": "/", "solidity": 0.5}
_CONFIG: Final[dict[str, Any]] = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}


def show() -> None:
    """The last hours of the workspace, kept up to date; how many of them is in the address.

    On the first page of a visit it comes a moment after the rest: to load Plotly keeps a browser busy for more than half a
    second, and until then it would show nothing of the page.
    """
    if st.session_state.get("chart") == "there":
        live.every(REFRESH_S, _chart)
    else:
        live.every(MOMENT_S, _moment)


def _moment() -> None:
    if st.session_state.get("chart") == "awaited":
        st.session_state["chart"] = "there"
        st.rerun()
    st.session_state["chart"] = "awaited"
    st.skeleton(HEIGHT)


def _chart() -> None:

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
    st.plotly_chart(
        figure, key="sent and failed", config=_CONFIG, alt=_("Sent per minute and failed per minute, over time")
    )
    until = buckets[-1].at + length
    if now - until > LATE:
        since = shown.moment(until, reading.zone())
        st.caption(_("Counted until {time}; what was sent after that is not known yet.", time=since))


def _hours() -> int:
    asked = st.query_params.get("hours", "")
    return next((hours for hours in HOURS if str(hours) == asked), HOURS[0])


def _figure(buckets: Sequence[Bucket], length: timedelta, zone: ZoneInfo) -> dict[str, Any]:
    """Two rows with a title and a scale of their own: failures are few, and would be a line on the ground beside what is
    sent; and which is which does not hang on a colour.

    A plain dictionary, which Streamlit checks once: Plotly's own objects check at each step, and take four times as long.
    """
    # Plotly knows no time zones: it is given the time as the clock on the wall shows it.
    at = [bucket.at.astimezone(zone).replace(tzinfo=None) for bucket in buckets]
    sent, failed = [bucket.sent for bucket in buckets], [bucket.failed for bucket in buckets]
    return {
        "data": [
            _bars(at, sent, _("Sent per minute"), length, "y", {"color": SENT}),
            _bars(at, failed, _("Failed per minute"), length, "y2", {"color": FAILED, "pattern": _STRIPES}),
        ],
        "layout": {
            "xaxis": {
                "range": [at[0], at[-1] + length],
                "anchor": "y2",
                "fixedrange": True,
                "showgrid": False,
                "tickformat": "%H:%M",
                "hoverformat": "%H:%M",
                "color": INK,
                "nticks": 7,
            },
            "yaxis": _scale(sent, [0.48, 1]),
            "yaxis2": _scale(failed, [0, 0.29]),
            "annotations": [_title(_("Sent per minute"), 1), _title(_("Failed per minute"), 0.29)],
            "height": HEIGHT,
            "showlegend": False,
            "hovermode": "x",
            "dragmode": False,
            "margin": {"l": 8, "r": 8, "t": 28, "b": 8},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
        },
    }


def _bars(
    at: list[datetime], values: list[float], name: str, length: timedelta, axis: str, marker: dict[str, Any]
) -> dict[str, Any]:
    return {
        "type": "bar",
        "x": at,
        "y": values,
        "yaxis": axis,
        "name": name,
        "offset": 0,
        "width": 0.85 * (length / timedelta(milliseconds=1)),
        "marker": {**marker, "line": {"width": 0}},
        "hovertemplate": "%{y:,.1~f}<extra></extra>",
    }


def _scale(values: list[float], place: list[float]) -> dict[str, Any]:
    return {
        "range": [0, max(LEAST, 1.12 * max(values))],
        "domain": place,
        "fixedrange": True,
        "gridcolor": GRID,
        "zerolinecolor": GRID,
        "nticks": 4,
        "tickformat": ",~r",
        "color": INK,
    }


def _title(text: str, y: float) -> dict[str, Any]:
    place = {"xref": "paper", "yref": "paper", "x": 0, "y": y, "xanchor": "left", "yanchor": "bottom"}
    return {**place, "text": text, "showarrow": False, "font": {"size": 13, "color": INK}}
