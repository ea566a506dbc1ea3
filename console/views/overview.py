"""Are we all right? The figures of now, every five seconds; never a false 0 when they cannot be read."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st
from sqlalchemy.exc import SQLAlchemyError

from console.queries import Overview, overview
from console.world import world
from db.engine import run

REFRESH_S = 5


def _read() -> Overview | None:
    """The overview of now, or the last one that could be read, with a warning that says of when."""
    try:
        seen = run(world().engine, lambda db: overview(db, world().settings), patience_s=1)
    except SQLAlchemyError:
        last: Overview | None = st.session_state.get("overview")
        if last is None:
            st.error("The database does not answer, so there are no numbers yet.")
        else:
            st.warning(f"Numbers are from {last.figures.as_of:%H:%M:%S} UTC; the database does not answer.")
        return last
    st.session_state["overview"] = seen
    return seen


def _draw(seen: Overview) -> None:
    if seen.stopped_at is not None:
        st.error(f"All sending is stopped since {seen.stopped_at:%H:%M} UTC.")
    if seen.phones_ready < seen.phones:
        st.warning(f"{seen.phones - seen.phones_ready} phones cannot send.")
    with st.container(horizontal=True):
        st.metric("Pending", f"{seen.figures.pending_count:,}", width=160)
        st.metric("Sent, 5 min", f"{seen.figures.sent_last_5m:,}", width=160)
        st.metric("Failed, 5 min", f"{seen.figures.failed_last_5m:,}", width=160)
        st.metric("Phones ready", f"{seen.phones_ready} of {seen.phones}", width=160)
    if not seen.running:
        st.write("Nothing is sending.")
    for campaign in seen.running:
        share = campaign.done / campaign.total if campaign.total else 0.0
        st.progress(share, f"{campaign.title} ({campaign.status}): {campaign.done:,} of {campaign.total:,}")


@st.fragment(run_every=REFRESH_S)
def _live() -> None:
    seen = _read()
    if seen is not None:
        _draw(seen)
        st.caption(f"Updated {datetime.now(UTC):%H:%M:%S} UTC, every {REFRESH_S} s")


st.title("Overview")
_live()
