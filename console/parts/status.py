"""States in words, with an icon and a colour: never by colour alone."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

import streamlit as st

from console.words import _, marked

Color = Literal["red", "orange", "blue", "green", "gray"]


class Look(NamedTuple):
    """How a state is shown; ``words`` is marked for the catalogues and asked for when it is drawn."""

    words: str
    icon: str
    color: Color


CAMPAIGN: Final = {
    "draft": Look(marked("Draft"), ":material/edit:", "gray"),
    "scheduled": Look(marked("Scheduled"), ":material/schedule:", "blue"),
    "accepted": Look(marked("Starting"), ":material/hourglass_top:", "blue"),
    "queued": Look(marked("Starting"), ":material/hourglass_top:", "blue"),
    "running": Look(marked("Running"), ":material/play_circle:", "green"),
    "paused": Look(marked("Paused"), ":material/pause_circle:", "orange"),
    "completed": Look(marked("Finished, everybody reached"), ":material/check_circle:", "green"),
    "partial": Look(marked("Finished, not everybody reached"), ":material/error:", "orange"),
    "failed": Look(marked("Failed, nobody reached"), ":material/cancel:", "red"),
    "cancelled": Look(marked("Cancelled"), ":material/block:", "gray"),
}

MESSAGE: Final = {
    "queued": Look(marked("Waiting"), ":material/schedule:", "blue"),
    "processing": Look(marked("Being sent"), ":material/send:", "blue"),
    "sent": Look(marked("Sent"), ":material/check:", "green"),
    "delivered": Look(marked("Delivered"), ":material/done_all:", "green"),
    "read": Look(marked("Read"), ":material/mark_chat_read:", "green"),
    "unknown": Look(marked("In doubt"), ":material/help:", "orange"),
    "failed": Look(marked("Failed"), ":material/cancel:", "red"),
    "cancelled": Look(marked("Cancelled"), ":material/block:", "gray"),
    "suppressed": Look(marked("On the never-send list"), ":material/do_not_disturb_on:", "gray"),
}


def campaign_words(status: str) -> str:
    """A campaign's state, for a sentence or a table."""
    return _(CAMPAIGN[status].words)


def message_words(status: str) -> str:
    """A message's state, for a sentence or a table."""
    return _(MESSAGE[status].words)


def campaign_badge(status: str) -> None:
    """A campaign's state as a badge."""
    look = CAMPAIGN[status]
    st.badge(_(look.words), icon=look.icon, color=look.color)


def message_badge(status: str) -> None:
    """A message's state as a badge."""
    look = MESSAGE[status]
    st.badge(_(look.words), icon=look.icon, color=look.color)
