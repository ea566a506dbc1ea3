"""Are we all right? Trouble first, then the figures of now, then what is running."""

from __future__ import annotations

import streamlit as st
from sqlalchemy import Connection

from console import links, live, queries, reading, shown, writing
from console.parts import chart, faults, figures, speed, status
from console.parts.figures import Figure
from console.queries import Overview, Running, overview
from console.words import _, _n
from domain.faults import Fault
from services import control, system_views

REFRESH_S = 5
SPEED_S = 10


def _now() -> None:
    seen = reading.read(overview)
    with reading.frame(seen, name="overview") as known:
        if known:
            _draw(seen.value)
            reading.updated(seen)


def _draw(now: Overview) -> None:
    _draw_faults()
    _draw_phones_away(now)
    failed, sent = now.figures.failed_last_5m, now.figures.sent_last_5m
    figures.draw(
        [
            Figure(_("Pending"), shown.number(now.figures.pending_count)),
            Figure(_("Sent, 5 min"), shown.number(sent)),
            Figure(
                _("Failed, 5 min"),
                shown.number(failed),
                note=shown.percent(failed, failed + sent) if failed else None,
            ),
            Figure(_("Phones ready"), shown.share(now.phones_ready, now.phones)),
        ]
    )
    st.subheader(_("Running now"))
    if not now.running:
        st.write(_("Nothing is sending."))
        links.link(_("New campaign"), "new", icon=":material/add_circle:")
    for campaign in now.running:
        _draw_campaign(campaign)


def _draw_faults() -> None:
    """What is wrong with the machines, so that nothing here looks well while nothing goes out."""
    seen = reading.read_within(REFRESH_S, system_views.read)
    # That all sending is stopped stands above, on every page.
    found = (
        [fault for fault in seen.value.faults if fault is not Fault.STOPPED] if seen.known and not seen.stale else []
    )
    faults.draw(seen.value, found)
    if found:
        links.link(_("System"), "system", icon=":material/dns:")


def _draw_phones_away(now: Overview) -> None:
    away = now.phones - now.phones_ready
    if not now.phones:
        st.info(_("There is no phone to send from yet. Add one, then launch a campaign."), icon=":material/smartphone:")
        links.link(_("Add a phone"), "devices", icon=":material/add:")
    elif away:
        words = _n("{count} phone cannot send", "{count} phones cannot send", away, count=shown.number(away))
        if now.waiting_stuck:
            waits = _n(
                "{count} message waits for them",
                "{count} messages wait for them",
                now.waiting_stuck,
                count=shown.number(now.waiting_stuck),
            )
            words += f" · {waits}"
        with st.container(horizontal=True, vertical_alignment="center"):
            st.warning(words, icon=":material/warning:")
            links.link(_("Fix"), "devices", icon=":material/build:")


def _draw_campaign(campaign: Running) -> None:
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{shown.plain(campaign.title)}**", width="content")
            status.campaign_badge(campaign.status)
            st.space("stretch")
            _draw_button(campaign)
            links.link(_("Open"), "campaign", icon=":material/arrow_forward:", campaign=campaign.id)
        if campaign.total:
            words = [shown.share(campaign.done, campaign.total), shown.percent(campaign.done, campaign.total)]
            if campaign.status == "running":
                now = reading.read_within(SPEED_S, queries.speed, campaign.id)
                words += speed.in_words(now.value.per_minute, now.value.finish) if now.known else []
            st.progress(campaign.done / campaign.total, " · ".join(words))
        else:
            st.caption(_("not counted yet"))


def _draw_button(campaign: Running) -> None:
    if campaign.status in ("queued", "running", "accepted"):
        if st.button(_("Pause"), icon=":material/pause:", key=f"pause {campaign.id}") and writing.once(
            f"pause {campaign.id}",
            lambda db, _workspace: _pause(db, campaign.id),
            undoes=f"resume {campaign.id}",
            said=_("Paused. Messages already handed to phones may still go out."),
        ):
            st.rerun()
    elif (
        campaign.status == "paused"
        and st.button(_("Resume"), icon=":material/play_arrow:", key=f"resume {campaign.id}")
        and writing.once(
            f"resume {campaign.id}",
            lambda db, _workspace: _resume(db, campaign.id),
            said=_("Resumed."),
            undoes=f"pause {campaign.id}",
        )
    ):
        st.rerun()


def _pause(db: Connection, campaign_id: int) -> dict[str, int]:
    control.pause(db, campaign_id, who=writing.who())
    return {"paused": campaign_id}


def _resume(db: Connection, campaign_id: int) -> dict[str, int]:
    control.resume(db, campaign_id, who=writing.who())
    return {"resumed": campaign_id}


st.title(_("Overview"))
live.every(REFRESH_S, _now)
chart.show()
