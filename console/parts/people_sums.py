"""What becomes of everybody in a draft's file: one line that adds up, and the reasons in plain words."""

from __future__ import annotations

import streamlit as st

from console import shown
from console.drafting import Drafting
from console.views.campaign_parts import files
from console.words import _, _n, advice, reason
from services.draft_people import DUPLICATE, Sums


def draw(now: Drafting) -> None:
    """The rows that could not be used, and what is sent to but looks wrong."""
    reasons = {**now.sums.bad, **({DUPLICATE: now.sums.duplicates} if now.sums.duplicates else {})}
    if reasons:
        n = sum(reasons.values())
        st.markdown("**" + _n("{count} row is left out", "{count} rows are left out", n, count=shown.number(n)) + "**")
    for code, n in reasons.items():
        with st.container(horizontal=True, gap="small", wrap=False):
            st.markdown(f"**{shown.number(n)}**", width=56, text_alignment="right")
            st.markdown(f"{reason(code)}  \n:gray[{advice(code)}]", width="stretch")
    if reasons:
        st.caption(_("Go on without them. Then correct the downloaded file and send it as a campaign of its own."))
        files.rejected_rows(now.draft.id, key="rejected")
    draw_warnings(now.sums)


def line(sums: Sums) -> str:
    """``98,470 will receive it · 1,031 bad rows · 1,529 duplicates · 212 opted out``; what is none is left out."""
    bad, duplicates, out, lacking = sums.bad_count, sums.duplicates, sums.opted_out, sums.lacking
    parts = {
        _n("{count} will receive it", "{count} will receive it", sums.will_receive, count=_count(sums.will_receive)): 1,
        _n("{count} bad row", "{count} bad rows", bad, count=_count(bad)): bad,
        _n("{count} duplicate", "{count} duplicates", duplicates, count=_count(duplicates)): duplicates,
        _n("{count} opted out", "{count} opted out", out, count=_count(out)): out,
        _n("{count} lacks a value", "{count} lack a value", lacking, count=_count(lacking)): lacking,
    }
    return " · ".join(words for words, n in parts.items() if n)


def draw_warnings(sums: Sums) -> None:
    """People who will be sent to although something about them looks wrong."""
    for code, n in sums.warnings.items():
        st.info(f"{_count(n)} × {reason(code)}. {advice(code)}", icon=":material/info:")


def _count(n: int) -> str:
    return shown.number(n)
