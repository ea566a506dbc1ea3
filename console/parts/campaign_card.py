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
def card(called: str, state: str) -> Iterator[DeltaGenerator]:
    """Draw inside; yields the place of its buttons, beside the title."""
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{title(called)}**", width="content")
            status.campaign_badge(state)
            st.space("stretch")
            buttons = st.container(horizontal=True, vertical_alignment="center", width="content")
        yield buttons


def title(given: str) -> str:
    """What it is called; somebody may not have said yet."""
    return shown.plain(given) if given.strip() else _("No name yet")


def draw_standing(campaign: Mapping[str, Any]) -> None:
    """How far it is, or what came of it, and when: a bar only while it goes on."""
    counts: Mapping[str, int] = campaign["counts"]
    total = sum(counts.values())
    if campaign["status"] == "scheduled":
        people = campaign["people"]
        words = [_n("{count} person", "{count} people", people, count=shown.number(people))]
    elif not total:
        words = [_("not counted yet")]
    elif campaign["finished_at"] is None:
        done = total - counts.get(M.QUEUED, 0) - counts.get(M.PROCESSING, 0)
        words = [shown.share(done, total), shown.percent(done, total), *_not_reached(counts), _when(campaign)]
        st.progress(done / total, " · ".join(words))
        return
    else:
        reached = counts.get(M.SENT, 0) + counts.get(M.DELIVERED, 0) + counts.get(M.READ, 0)
        words = [_("{share} reached", share=shown.share(reached, total)), *_not_reached(counts)]
    st.caption(" · ".join([*words, _when(campaign)]))


def _not_reached(counts: Mapping[str, int]) -> list[str]:
    words: list[str] = []
    if missed := counts.get(M.FAILED, 0) + counts.get(M.UNKNOWN, 0):
        told = _n("{count} not delivered", "{count} not delivered", missed, count=shown.number(missed))
        words.append(f"**:orange[{told}]**")
    if cancelled := counts.get(M.CANCELLED, 0):
        words.append(_n("{count} cancelled", "{count} cancelled", cancelled, count=shown.number(cancelled)))
    return words


def _when(campaign: Mapping[str, Any]) -> str:
    """The time that matters most in its state."""
    zone = reading.zone()
    if campaign["finished_at"] is not None:
        return _("ended {time}", time=shown.moment(campaign["finished_at"], zone))
    if campaign["status"] == "scheduled":
        return _("starts {time}", time=shown.moment(campaign["scheduled_at"], zone))
    if campaign["started_at"] is not None:
        return _("started {time}", time=shown.moment(campaign["started_at"], zone))
    return _("launched {time}", time=shown.moment(campaign["created_at"], zone))
