"""Who did not get it, by reason, the biggest group first: what it means, what to do, and whether it is safe to retry."""

from __future__ import annotations

from typing import Final

import streamlit as st

from console import live, reading, shown
from console.parts.status import Look
from console.views.campaign_parts import doubts, files, head, place
from console.words import _, _n, marked, reason
from services import failure_groups
from services.campaign_views import CampaignView
from services.failure_groups import FailureGroup

REFRESH_S = 5


VERDICTS: Final = {
    "safe": Look(marked("Safe to retry"), ":material/check_circle:", "green"),
    "hopeless": Look(marked("Do not retry"), ":material/do_not_disturb_on:", "gray"),
    "doubt": Look(marked("May have arrived"), ":material/help:", "orange"),
}


def draw(campaign: CampaignView) -> None:
    """The groups, which follow the campaign, and below them the messages in doubt that wait for a decision."""
    live.every(REFRESH_S, _now)
    doubts.draw(campaign)
    if campaign.invalid_count:
        with st.container(horizontal=True, vertical_alignment="center"):
            count = campaign.invalid_count
            words = _n(
                "{count} row of the upload could not be used, so it is not among these people.",
                "{count} rows of the upload could not be used, so they are not among these people.",
                count,
                count=shown.number(count),
            )
            st.markdown(words, width="content")
            files.rejected_rows(campaign.id, key="rejected below")


def _now() -> None:
    campaign_id = place.place().campaign
    seen = reading.read(failure_groups.report, campaign_id)
    with reading.frame(seen, name="failures") as known:
        if not known or seen.value is None:
            return
        if not seen.value.groups:
            st.write(_("Nobody has failed so far."))
        for group in seen.value.groups:
            _draw_group(campaign_id, group)


def _draw_group(campaign_id: int, group: FailureGroup) -> None:
    look = VERDICTS[group.verdict]
    with st.container(border=True, key=f"failure {group.code} {group.verdict}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{shown.number(group.count)}** · {reason(group.code)}", width="content")
            st.badge(_(look.words), icon=look.icon, color=look.color)
            st.space("stretch")
            with st.container(horizontal=True, width="content"):
                _draw_buttons(campaign_id, group)
        st.caption(_advice(group))


def _advice(group: FailureGroup) -> str:
    if group.awaited:
        return _n(
            "WhatsApp may still tell about {count} of them, so nobody has to decide yet.",
            "WhatsApp may still tell about {count} of them, so nobody has to decide yet.",
            group.awaited,
            count=shown.number(group.awaited),
        )
    decided = group.verdict == "doubt" and not group.undecided
    return _("Nothing is left to decide about them.") if decided else _(group.advice)


def _draw_buttons(campaign_id: int, group: FailureGroup) -> None:
    # Those of a phone that was deleted are gone with it
    if group.code != "device_deleted" and st.button(
        _("Show them"), icon=":material/group:", type="tertiary", key=f"list {group.code} {group.verdict}"
    ):
        place.go("recipients", show="unknown" if group.verdict == "doubt" else "missed", code=group.code)
    if group.verdict == "safe" and group.retryable:
        label = _("Retry {count}", count=shown.number(group.retryable))
        if st.button(label, icon=":material/replay:", key=f"retry {group.code}"):
            head.retry(campaign_id, group.code)
