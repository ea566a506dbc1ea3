"""The head of a campaign: its title and state, the one button that its state asks for, and what else can be done to it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from sqlalchemy import Connection

from console import links, reading, shown, writing
from console.parts import status
from console.views.campaign_parts import files, place
from console.words import _, _n
from services import clone, control, failure_groups
from services.campaign_views import CampaignView
from services.recipients import Filter

OPEN = ("scheduled", "accepted", "queued", "running", "paused")
CANCEL = "cancel"


def draw(campaign: CampaignView, safe_count: int) -> None:
    """Title, state, main button, and the others behind "More". ``safe_count``: how many a retry would queue."""
    with st.container(horizontal=True, vertical_alignment="center", key="campaign-head"):
        st.title(shown.plain(campaign.title), width="content")
        status.campaign_badge(campaign.status)
        st.space("stretch")
        _draw_main_button(campaign, safe_count)
        _draw_more(campaign)
    if place.asked(CANCEL) and campaign.status in OPEN:
        _confirm_cancel(campaign)
    elif place.asked(CANCEL):
        place.answered()


def safe_count(campaign: CampaignView) -> int:
    """How many of an ended campaign are safe to retry; 0 while it goes on by itself."""
    if campaign.status not in ("partial", "failed"):
        return 0
    seen = reading.read(failure_groups.report, campaign.id)
    return seen.value.safe_count if seen.known and seen.value else 0


def _draw_main_button(campaign: CampaignView, safe: int) -> None:
    if campaign.status in ("accepted", "queued", "running"):
        if st.button(_("Pause"), icon=":material/pause:", key="pause"):
            said = _("Paused. Messages already handed to phones may still go out.")
            _do(campaign, "pause", lambda db: control.pause(db, campaign.id, who=writing.who()), said)
    elif campaign.status == "paused":
        if st.button(_("Resume"), icon=":material/play_arrow:", type="primary", key="resume"):
            _do(campaign, "resume", lambda db: control.resume(db, campaign.id, who=writing.who()), _("Resumed."))
    elif safe:
        label = _n("Retry {count} safe one", "Retry {count} safe ones", safe, count=shown.number(safe))
        if st.button(label, icon=":material/replay:", type="primary", key="retry"):
            retry(campaign.id, None)


def _do(campaign: CampaignView, verb: str, act: Callable[[Connection], None], said: str) -> None:
    def work(db: Connection, _workspace_id: int) -> None:
        act(db)

    undoes = f"{'resume' if verb == 'pause' else 'pause'} {campaign.id}"
    if writing.once(f"{verb} {campaign.id}", work, said=said, undoes=undoes) is not None:
        st.rerun()


def retry(campaign_id: int, code: str | None) -> None:
    """Queue again who failed with this code, or everybody for whom it is safe; then draw the page anew."""

    def work(db: Connection, _workspace_id: int) -> dict[str, int]:
        codes = None if code is None else [code]
        return {"queued": control.retry(db, campaign_id, who=writing.who(), codes=codes)}

    answer = writing.once(f"retry {campaign_id} {code or ''}", work)
    if answer is not None:
        count = answer["queued"]
        writing.tell(
            _n("{count} message waits again.", "{count} messages wait again.", count, count=shown.number(count))
        )
        st.rerun()


def _draw_more(campaign: CampaignView) -> None:
    with st.popover(_("More"), icon=":material/more_horiz:", key="more"):
        if st.button(_("Clone"), icon=":material/content_copy:", type="tertiary", key="clone"):
            _clone(campaign)
        files.people(_("Export everybody as CSV"), campaign.id, Filter(), key="export")
        if campaign.invalid_count:
            files.rejected_rows(campaign.id, key="rejected")
        if campaign.status in OPEN and st.button(
            _("Cancel the campaign…"), icon=":material/block:", type="tertiary", key="cancel"
        ):
            place.ask(CANCEL)


def _clone(campaign: CampaignView) -> None:
    def work(db: Connection, workspace_id: int) -> dict[str, int]:
        return {"draft": clone.clone(db, workspace_id, campaign.id, who=writing.who())}

    answer = writing.once(f"clone {campaign.id}", work, said=_("Copied. Nothing is sent until you launch the copy."))
    if answer is not None:
        links.go("new", draft=answer["draft"])


def _confirm_cancel(campaign: CampaignView) -> None:
    @st.dialog(_("Cancel this campaign?"), on_dismiss=place.answered)
    def dialog() -> None:
        waiting = campaign.counts["queued"]
        st.markdown(
            _n(
                "**{count} person will not get it**, and this cannot be undone. Whoever was sent it keeps it.",
                "**{count} people will not get it**, and this cannot be undone. Whoever was sent it keeps it.",
                waiting,
                count=shown.number(waiting),
            )
        )
        word = _("cancel")
        with st.form("cancel", border=False):
            typed = st.text_input(_("Type “{word}” to confirm", word=word))
            pressed = st.form_submit_button(_("Cancel the campaign"), type="primary", icon=":material/block:")
        if pressed and typed.strip().casefold() != word.casefold():
            st.error(_("Nothing was done: type “{word}” first.", word=word))
        elif pressed:
            _cancel(campaign.id)

    dialog()


def _cancel(campaign_id: int) -> None:
    def work(db: Connection, _workspace_id: int) -> dict[str, int]:
        return {"waiting": control.cancel(db, campaign_id, who=writing.who())}

    answer = writing.once(f"cancel {campaign_id}", work)
    if answer is not None:
        count = answer["waiting"]
        writing.tell(
            _n(
                "Cancelled: {count} person will not get it.",
                "Cancelled: {count} people will not get it.",
                count,
                count=shown.number(count),
            )
        )
        place.answered()
        st.rerun()
