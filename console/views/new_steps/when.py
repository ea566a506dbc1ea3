"""When it goes out: now, or at a time on the clock of the workspace."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import streamlit as st

from console import drafting, reading, shown
from console.parts import dates
from console.words import _
from domain.limits import FURTHEST_AHEAD
from domain.local_time import Moment, moment
from services.drafts import Draft

MORNING: Final = time(9)


def draw(draft: Draft) -> None:
    """Draw the choice."""
    st.subheader(_("When"))
    key = f"when {draft.id}"
    words = {"now": _("Now, when I launch it"), "later": _("At a time that I choose")}
    chosen = st.radio(
        _("When"),
        list(words),
        index=0 if draft.scheduled_at is None else 1,
        key=key,
        format_func=lambda name: words[name],
        label_visibility="collapsed",
        on_change=_when_chosen,
        args=(draft, key),
    )
    if chosen == "later":
        _draw_time(draft)


def _when_chosen(draft: Draft, key: str) -> None:
    if st.session_state[key] == "now":
        drafting.save({"scheduled_at": None})
    elif draft.scheduled_at is None:
        drafting.save({"scheduled_at": moment(_tomorrow(reading.zone()), MORNING, reading.zone()).at})


def _tomorrow(zone: str) -> date:
    return datetime.now(UTC).astimezone(ZoneInfo(zone)).date() + timedelta(days=1)


def _draw_time(draft: Draft) -> None:
    zone = reading.zone()
    now = datetime.now(UTC).astimezone(ZoneInfo(zone))
    local = draft.scheduled_at.astimezone(now.tzinfo) if draft.scheduled_at else None
    keys = f"day {draft.id}", f"clock {draft.id}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.date_input(
            _("Day"),
            value=local.date() if local else _tomorrow(zone),
            min_value=min(now, local or now).date(),
            max_value=(now + FURTHEST_AHEAD).date(),
            format="DD/MM/YYYY",
            key=keys[0],
            width=180,
            on_change=_time_chosen,
            args=keys,
        )
        st.time_input(
            _("Time"),
            value=local.time().replace(second=0, microsecond=0) if local else MORNING,
            key=keys[1],
            width=140,
            on_change=_time_chosen,
            args=keys,
        )
    words = _(
        "In the time zone {zone}, where it is {time} now.", zone=shown.isolated(zone), time=shown.clock(now, zone)
    )
    st.caption(words)
    if (at := _chosen_moment(*keys)) is None:
        return
    if at.at <= now:
        st.error(_("This time has passed: choose one that is still to come."), icon=":material/error:")
        return
    st.markdown(f":material/schedule: **{dates.day_and_time(at.at, zone)}**")
    if at.skipped:
        st.warning(_("On this day the clocks skip that hour: it starts when they say what is shown here."))
    elif at.twice:
        st.warning(_("On this day the clocks say that hour twice: it starts the first time."))


def _chosen_moment(day_key: str, clock_key: str) -> Moment | None:
    day, clock = st.session_state[day_key], st.session_state[clock_key]
    return None if day is None or clock is None else moment(day, clock, reading.zone())


def _time_chosen(day_key: str, clock_key: str) -> None:
    at = _chosen_moment(day_key, clock_key)
    if at is not None and at.at > datetime.now(UTC):
        drafting.save({"scheduled_at": at.at})
