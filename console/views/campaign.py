"""One campaign as its manager sees it: how far it is, who did not get it and why, and what can be done about it."""

from __future__ import annotations

import streamlit as st

from console import links, live, reading
from console.views.campaign_parts import devices, failures, head, message, place, progress, recipients, timeline
from console.words import _
from services import campaign_views
from services.campaign_views import CampaignView

REFRESH_S = 3

TABS = {
    "failures": failures.draw,
    "recipients": recipients.draw,
    "devices": devices.draw,
    "timeline": timeline.draw,
    "message": message.draw,
}


def _now() -> None:
    """The part that follows the campaign. When its state has changed, the whole page does."""
    seen = reading.read(campaign_views.one, place.place().campaign)
    with reading.frame(seen, name="campaign") as known:
        if known and seen.value is not None:
            if _state(seen.value) != st.session_state.get("campaign drawn"):
                st.rerun()
            progress.draw(seen.value)
            reading.updated(seen)


def _state(campaign: CampaignView) -> tuple[int, str, int]:
    return campaign.id, campaign.status, head.safe_count(campaign)


def _wait() -> None:
    """Nothing is known yet: the page is drawn as soon as something is."""
    seen = reading.read(campaign_views.one, place.place().campaign)
    with reading.frame(seen, name="campaign") as known:
        if known:
            st.rerun()


def _draw_tabs(campaign: CampaignView) -> None:
    names = {
        "failures": _("Failures"),
        "recipients": _("Recipients"),
        "devices": _("Phones"),
        "timeline": _("Timeline"),
        "message": _("Message"),
    }
    here = place.place()
    # The address decides, so the control is a new one wherever the address leads.
    with st.container(key="tabs"):
        chosen = st.segmented_control(
            _("What to see"),
            place.TABS,
            default=here.tab,
            required=True,
            format_func=names.__getitem__,
            key=f"tab {campaign.id} {here.tab}",
            label_visibility="collapsed",
        )
    if chosen and chosen != here.tab:
        place.go(chosen)
    TABS[here.tab](campaign)


def _draw() -> None:
    seen = reading.read(campaign_views.one, place.place().campaign)
    if not seen.known:
        st.title(_("Campaign"))
        live.every(REFRESH_S, _wait)
        return
    campaign = seen.value
    if campaign is None or campaign.status == "draft":
        st.title(_("Campaign"))
        st.info(_("There is no such campaign.") if campaign is None else _("This campaign is still a draft."))
        if campaign is None:
            links.link(_("All campaigns"), "campaigns", icon=":material/campaign:")
        else:
            links.link(_("Go on with the draft"), "new", icon=":material/edit:", draft=campaign.id)
        return
    state = _state(campaign)
    st.session_state["campaign drawn"] = state
    head.draw(campaign, state[2])
    live.every(REFRESH_S, _now)
    _draw_tabs(campaign)


_draw()
