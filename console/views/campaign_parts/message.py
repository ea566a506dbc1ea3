"""What a campaign says: its message as it was written, and as the first people get it."""

from __future__ import annotations

import streamlit as st

from console import reading, shown
from console.parts import bubble
from console.words import _
from services import message_views, recipients
from services.campaign_views import CampaignView
from services.recipients import Filter

PREVIEWS = 3


def draw(campaign: CampaignView) -> None:
    """The text with its variables, the pace, and previews."""
    st.subheader(_("As it was written"))
    bubble.draw(campaign.message)
    st.caption(_pace(campaign))
    seen = reading.read_within(60, recipients.page, campaign.id, Filter())
    if not (seen.known and seen.value and seen.value.rows):
        return
    st.subheader(_("As the first people get it"))
    for row in seen.value.rows[:PREVIEWS]:
        message = reading.read_within(60, message_views.one, row["id"])
        if message.known and message.value:
            name = shown.plain(row["name"]) if row["name"] else ""
            st.caption(" · ".join(filter(None, [name, shown.phone(row["phone"])])))
            bubble.draw(message.value["text"])


def _pace(campaign: CampaignView) -> str:
    least, most = campaign.min_delay_s, campaign.max_delay_s
    if least is None and most is None:
        return _("Each phone sends at its own pace.")
    if most is None or least is None:
        return _("Each phone waits at least {least} s between two messages.", least=shown.number(least or 0))
    return _(
        "Each phone waits {least} to {most} s between two messages.", least=shown.number(least), most=shown.number(most)
    )
