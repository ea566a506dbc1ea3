"""A campaign as one card of a list: what it is called, how it stands, how far it is, and what can be done with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from console import reading, shown
from console.parts import status
from console.words import _, _n
from domain.status import MessageStatus as M


@contextmanager
def card(called: str, state: str, caption: str) -> Iterator[DeltaGenerator]:
    """Draw inside; yields the place of its buttons, beside the title."""
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{title(called)}**", width="content")
            status.campaign_badge(state)
            st.space("stretch")
            buttons = st.container(horizontal=True, vertical_alignment="center", width="content")
        st.caption(caption)
        yield buttons


def title(given: str) -> str:
    """What it is called; somebody may not have said yet."""
    return shown.plain(given) if given.strip() else _("No title yet")


def when(campaign: Mapping[str, Any]) -> str:
    """The time that matters most in its state."""
    zone = reading.zone()
    if campaign["finished_at"] is not None:
        return _("ended {time}", time=shown.moment(campaign["finished_at"], zone))
    if campaign["status"] == "scheduled":
        return _("starts {time}", time=shown.moment(campaign["scheduled_at"], zone))
    if campaign["started_at"] is not None:
        return _("started {time}", time=shown.moment(campaign["started_at"], zone))
    return _("launched {time}", time=shown.moment(campaign["created_at"], zone))


def draw_progress(campaign: Mapping[str, Any]) -> None:
    """How far it is, or what came of it: a bar only while it goes on."""
    if campaign["status"] == "scheduled":
        st.write(_n("{count} person", "{count} people", campaign["people"], count=shown.number(campaign["people"])))
        return
    counts: Mapping[str, int] = campaign["counts"]
    total = sum(counts.values())
    if not total:
        st.caption(_("not counted yet"))
        return
    missed = counts.get(M.FAILED, 0) + counts.get(M.UNKNOWN, 0)
    cancelled = counts.get(M.CANCELLED, 0)
    words: list[str] = []
    if missed:
        words.append(_n("{count} not delivered", "{count} not delivered", missed, count=shown.number(missed)))
    if cancelled:
        words.append(_n("{count} cancelled", "{count} cancelled", cancelled, count=shown.number(cancelled)))
    if campaign["finished_at"] is None:
        done = total - counts.get(M.QUEUED, 0) - counts.get(M.PROCESSING, 0)
        st.progress(done / total, " · ".join([shown.share(done, total), shown.percent(done, total), *words]))
    else:
        reached = counts.get(M.SENT, 0) + counts.get(M.DELIVERED, 0) + counts.get(M.READ, 0)
        st.write(" · ".join([_("{share} reached", share=shown.share(reached, total)), *words]))
