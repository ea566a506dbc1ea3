"""Are we all right? The figures of now, every five seconds; never a false 0 when they cannot be read."""

from __future__ import annotations

import time

import streamlit as st
from sqlalchemy.exc import SQLAlchemyError

from console.queries import Overview, Running, overview
from console.world import world
from db.engine import run

REFRESH_S = 5


def _read() -> Overview | None:
    """The overview of now, or the last one that could be read; says of when it is."""
    try:
        seen = run(world().engine, lambda db: overview(db, world().settings), patience_s=1)
    except SQLAlchemyError:
        return _last()
    st.session_state["overview"] = seen, time.monotonic()
    st.caption(f"Updated {seen.figures.as_of:%H:%M:%S} UTC, every {REFRESH_S} s")
    return seen


def _last() -> Overview | None:
    if "overview" not in st.session_state:
        st.error("The database does not answer, so there are no numbers yet.")
        return None
    seen, read_at = st.session_state["overview"]
    last: Overview = seen
    age_s = round(time.monotonic() - read_at)
    st.warning(f"Numbers are from {last.figures.as_of:%H:%M:%S} UTC, {age_s} s ago; the database does not answer.")
    return last


def _draw(seen: Overview) -> None:
    if seen.stopped_at is not None:
        st.error(f"All sending is stopped since {seen.stopped_at:%H:%M} UTC.")
    if seen.phones_ready < seen.phones:
        away = seen.phones - seen.phones_ready
        st.warning(f"{away} phone{'s' if away > 1 else ''} cannot send.")
    with st.container(horizontal=True):
        st.metric("Pending", f"{seen.figures.pending_count:,}", width=160)
        st.metric("Sent, 5 min", f"{seen.figures.sent_last_5m:,}", width=160)
        st.metric("Failed, 5 min", f"{seen.figures.failed_last_5m:,}", width=160)
        st.metric("Phones ready", f"{seen.phones_ready} of {seen.phones}", width=160)
    if not seen.running:
        st.write("Nothing is sending.")
    for campaign in seen.running:
        _draw_campaign(campaign)


def _draw_campaign(campaign: Running) -> None:
    name = f"{campaign.title} ({campaign.status})"
    if campaign.total:
        st.progress(campaign.done / campaign.total, f"{name}: {campaign.done:,} of {campaign.total:,}")
    else:
        st.write(f"{name}: not counted yet")


@st.fragment(run_every=REFRESH_S)
def _live() -> None:
    seen = _read()
    if seen is not None:
        _draw(seen)


st.title("Overview")
_live()
