"""How far a campaign is, how fast it goes, when it will be done, and, when it is, what came of it."""

from __future__ import annotations

import streamlit as st

from console import links, reading, shown
from console.parts import faults, speed
from console.views.campaign_parts import place
from console.words import _, _n
from domain.faults import Fault
from domain.status import MessageStatus as M
from services import system_views
from services.campaign_views import CampaignView

CARD = 150
FAULTS_S = 5
UNDER_WAY = ("accepted", "queued", "running")
ENDED = ("completed", "partial", "failed", "cancelled")


def draw(campaign: CampaignView) -> None:
    """The bar or the outcome, then the figures, each of which opens its people."""
    zone = reading.zone()
    if campaign.status in ENDED:
        _draw_outcome(campaign, zone)
    else:
        _draw_under_way(campaign, zone)
    _draw_figures(campaign)


def _draw_under_way(campaign: CampaignView, zone: str) -> None:
    if campaign.status == "scheduled" and campaign.scheduled_at:
        at = shown.moment(campaign.scheduled_at, zone)
        st.info(_("It starts {time}. Until then nothing is sent.", time=at), icon=":material/schedule:")
    elif campaign.status == "paused":
        _draw_pause(campaign)
    if campaign.status in UNDER_WAY:
        _draw_faults()
    waiting = campaign.counts[M.QUEUED] + campaign.counts[M.PROCESSING]
    done = campaign.total - waiting
    words = [shown.share(done, campaign.total), shown.percent(done, campaign.total)]
    if campaign.finish:
        words += speed.in_words(campaign.rate_per_minute, campaign.finish)
    st.progress(done / campaign.total if campaign.total else 0.0, " · ".join(words))
    if campaign.finish and campaign.finish.held:
        links.link(_("See what is wrong with the phones"), "devices", icon=":material/build:")


def _draw_faults() -> None:
    """What keeps all campaigns from sending, so that this one does not look well while nothing goes out."""
    seen = reading.read_within(FAULTS_S, system_views.read)
    if not seen.known or seen.stale:
        return
    found = [fault for fault in seen.value.faults if fault is Fault.STOPPED or faults.TOLD[fault].grave]
    faults.draw(seen.value, found)
    if any(fault is not Fault.STOPPED for fault in found):
        links.link(_("System"), "system", icon=":material/dns:")


def _draw_pause(campaign: CampaignView) -> None:
    if campaign.code == "no_device":
        with st.container(horizontal=True, vertical_alignment="center"):
            st.warning(
                _("Paused: no phone can send. It goes on by itself when one can."),
                icon=":material/pause_circle:",
            )
            links.link(_("Fix"), "devices", icon=":material/build:")
    elif campaign.code == "breaker":
        st.warning(_("Paused: too many sends failed. See why below, then resume."), icon=":material/pause_circle:")
    else:
        st.info(_("Paused by hand. Nothing more is sent until you resume."), icon=":material/pause_circle:")


def _draw_outcome(campaign: CampaignView, zone: str) -> None:
    """Never a bare "Finished": who did not get it comes first."""
    failed, unknown = campaign.counts[M.FAILED], campaign.counts[M.UNKNOWN]
    if campaign.status == "cancelled":
        left = campaign.counts[M.CANCELLED]
        words = _n(
            "Cancelled: {count} person was not sent to",
            "Cancelled: {count} people were not sent to",
            left,
            count=shown.number(left),
        )
        st.info(words, icon=":material/block:")
    elif failed + unknown:
        words = _n(
            "Finished: {count} not delivered",
            "Finished: {count} not delivered",
            failed + unknown,
            count=shown.number(failed + unknown),
        )
        if unknown:
            words += " · " + _n(
                "{count} of them may have arrived",
                "{count} of them may have arrived",
                unknown,
                count=shown.number(unknown),
            )
        if campaign.status == "failed":
            st.error(words, icon=":material/cancel:")
        else:
            st.warning(words, icon=":material/error:")
    elif campaign.status == "failed":
        st.error(_("Failed: nobody was sent to."), icon=":material/cancel:")
    else:
        st.success(_("Finished: everybody was sent to."), icon=":material/check_circle:")
    if campaign.finished_at:
        words = _("Ended {time}", time=shown.moment(campaign.finished_at, zone))
        if campaign.started_at:
            lasted = (campaign.finished_at - campaign.started_at).total_seconds()
            words += " · " + _("it took {time}", time=shown.lasting(lasted))
        st.caption(words)


def _draw_figures(campaign: CampaignView) -> None:
    def of(show: str) -> int:
        return sum(campaign.counts[status] for status in place.SHOWN[show])

    sent = of("sent")
    with st.container(horizontal=True, gap="small", key="figures"):
        _draw_figure("pending", of("pending"))
        _draw_figure("sent", sent)
        _draw_figure("delivered", of("delivered"), sent)
        _draw_figure("read", of("read"), sent)
        _draw_figure("failed", of("failed"), campaign.total)
        for rare in ("unknown", "cancelled", "suppressed"):
            if of(rare):
                _draw_figure(rare, of(rare))


def _draw_figure(show: str, count: int, whole: int = 0) -> None:
    """A card that is a button as a whole: it opens the people behind the figure."""
    label = labels()[show]
    with st.container(border=True, width=CARD, height="stretch", key=f"figure-{show}", gap=None):
        note = shown.percent(count, whole) if whole and count else None
        st.metric(label, shown.number(count), delta=note, delta_color="off", delta_arrow="off")
        if st.button(_("Show {what}", what=label), key=f"show {show}", width="stretch"):
            place.go("recipients", show=show)


def labels() -> dict[str, str]:
    """What the lists of place.SHOWN are called. They hold many, which other languages tell from the state of one."""
    many = 2
    return {
        "pending": _("Pending"),
        "sent": _n("Sent", "Sent", many),
        "delivered": _n("Delivered", "Delivered", many),
        "read": _n("Read", "Read", many),
        "failed": _n("Failed", "Failed", many),
        "unknown": _("In doubt"),
        "missed": _("Failed or in doubt"),
        "cancelled": _n("Cancelled", "Cancelled", many),
        "suppressed": _("Never-send list"),
    }
