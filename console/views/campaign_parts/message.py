"""What a campaign says: its message as it was written, and as the first people get it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import streamlit as st

from console import reading, shown
from console.parts import bubble, template_bubble, template_words
from console.words import _
from domain import template
from services import media, message_views, recipients
from services.campaign_views import CampaignView
from services.recipients import Filter

PREVIEWS = 3


def draw(campaign: CampaignView) -> None:
    """The text with its variables or the template with what fills it, the pace, and previews."""
    st.subheader(_("As it was written"))
    chosen = campaign.template
    if chosen is not None:
        called = shown.plain(template_words.called(chosen["name"], chosen["language"]))
        st.markdown(f":material/assignment: **{called}**")
    _draw_bubble(campaign, campaign.message, None)
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
            _draw_bubble(campaign, message.value["text"], message.value)


def _draw_bubble(campaign: CampaignView, text: str, message: Mapping[str, Any] | None) -> None:
    """What it says to the person of a message, or to nobody in particular."""
    if campaign.template is None:
        bubble.draw(text)
        return
    media_id = campaign.template["media_id"]
    file = reading.read_within(60, media.described, media_id) if media_id else None
    name = file.value.filename if file is not None and file.known and file.value else None
    template_bubble.draw(campaign.template, name, partial(_written, message=message))


def _written(words: str, *, message: Mapping[str, Any] | None) -> str:
    if message is None:
        return words.replace("{{", "{").replace("}}", "}")
    named = {"name": message["name"]} if message["name"] else {}
    try:
        return template.render(template.parse(words), {**named, **message["variables"]})
    except template.MissingValuesError:
        return words


def _pace(campaign: CampaignView) -> str:
    least, most = campaign.min_delay_s, campaign.max_delay_s
    if least is None and most is None:
        return _("Each phone sends at its own pace.")
    if most is None or least is None:
        return _("Each phone waits at least {least} s between two messages.", least=shown.number(least or 0))
    return _(
        "Each phone waits {least} to {most} s between two messages.", least=shown.number(least), most=shown.number(most)
    )
