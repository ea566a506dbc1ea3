"""From page to page, with the reader's language in the address."""

from __future__ import annotations

from typing import NoReturn
from urllib.parse import urlencode

import streamlit as st

from console import words

PAGES = {
    "overview": "views/overview.py",
    "devices": "views/devices.py",
    "campaigns": "views/campaigns.py",
    "campaign": "views/campaign.py",
    "new": "views/new_campaign.py",
    "search": "views/search.py",
    "system": "views/system.py",
}


LONGEST_ID = 19  # digits, from which on the database would not take it


def go(page: str, **parameters: object) -> NoReturn:
    """Open a page of PAGES; ``parameters`` stand in its address, None is left out."""
    st.switch_page(PAGES[page], query_params=_in_address(parameters))


def link(label: str, page: str, *, icon: str | None = None, help: str | None = None, **parameters: object) -> None:
    """A link to a page."""
    st.page_link(PAGES[page], label=label, icon=icon, help=help, query_params=_in_address(parameters))


def address(page: str, **parameters: object) -> str:
    """The same as a URL, for a table's link column."""
    path = "" if page == "overview" else page
    query = urlencode(_in_address(parameters))
    return f"/{path}?{query}" if query else f"/{path}"


def keep_address(page: str) -> None:
    """Write the page's parameters into the browser's address, where a link to the very page it stands on has not put them:
    the next press would come with the old ones, and from a list would open what was open before.
    """
    here = (page, st.query_params.to_dict())
    if st.session_state.get("address") != here:
        st.query_params.from_dict(here[1])
        st.session_state["address"] = here


def number(name: str) -> int | None:
    """The id that stands in the address under this name; None for anything that is none."""
    given = st.query_params.get(name, "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < LONGEST_ID else None


def _in_address(parameters: dict[str, object]) -> dict[str, str]:
    return {**{name: str(value) for name, value in parameters.items() if value is not None}, **words.in_address()}
