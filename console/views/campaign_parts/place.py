"""Where the reader stands in a campaign: everything that is chosen is in the address, so that it survives a reload and can
be handed to a colleague."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NoReturn

import streamlit as st

from console import links
from domain.status import MessageStatus as M
from services.recipients import Filter

TABS: Final = ("failures", "recipients", "devices", "timeline", "message")

# What a list can be filtered by. Whoever has read it was sent it as well.
SHOWN: Final = {
    "pending": (M.QUEUED, M.PROCESSING),
    "sent": (M.SENT, M.DELIVERED, M.READ),
    "delivered": (M.DELIVERED, M.READ),
    "read": (M.READ,),
    "failed": (M.FAILED,),
    "unknown": (M.UNKNOWN,),
    "missed": (M.FAILED, M.UNKNOWN),
    "cancelled": (M.CANCELLED,),
    "suppressed": (M.SUPPRESSED,),
}


@dataclass(frozen=True, slots=True)
class Place:
    """A campaign, one of TABS, and in its list: one of SHOWN, a code, a device, the page, a person's message."""

    campaign: int
    tab: str
    show: str | None
    code: str | None
    device: int | None
    after: int | None
    before: int | None
    message: int | None

    @property
    def wanted(self) -> Filter:
        return Filter(SHOWN[self.show] if self.show else tuple(M), self.code, self.device)


def place() -> Place:
    """As the address says; what makes no sense there is left out. Campaign 0 is none."""
    tab, show = st.query_params.get("tab"), st.query_params.get("show")
    return Place(
        campaign=links.number("campaign") or 0,
        tab=tab if tab in TABS else TABS[0],
        show=show if show in SHOWN else None,
        code=st.query_params.get("code"),
        device=links.number("device"),
        after=links.number("after"),
        before=links.number("before"),
        message=links.number("message"),
    )


def go(tab: str, **chosen: object) -> NoReturn:
    """Another tab or list of the same campaign; what is not named is not chosen any more."""
    links.go("campaign", campaign=place().campaign, tab=tab, **chosen)


def ask(question: str) -> NoReturn:
    """Open a dialog. It stands in the address, so that it stays open when the campaign changes its state behind it."""
    st.query_params["ask"] = question
    st.rerun()


def asked(question: str) -> bool:
    return st.query_params.get("ask") == question


def answered() -> None:
    """No dialog is open any more."""
    st.query_params.pop("ask", None)
