"""The people of a campaign: filtered, a hundred at a time. The table never changes under its reader: what he sees is kept
until he asks for it anew, and whoever he chooses is the one he sees."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from console import live, reading, shown
from console.parts import status, story
from console.views.campaign_parts import files, place, progress
from console.views.campaign_parts.place import Place
from console.words import _, _n, reason
from domain.status import MessageStatus as M
from services import campaign_views, device_report, failure_groups, recipients
from services.campaign_views import CampaignView
from services.message_views import since
from services.recipients import Page

REFRESH_S = 5
TABLE_PX = 460
EVERY = ""  # chosen where nothing is filtered by


@dataclass(frozen=True, slots=True)
class Held:
    """A page as it was read for this place, with the campaign's counts of that moment. ``number`` counts the readings."""

    place: tuple[object, ...]
    number: int
    page: Page
    counts: dict[str, int]


def draw(campaign: CampaignView) -> None:
    """Filters, the page, and the story of whoever is chosen."""
    here = place.place()
    _draw_filters(campaign, here)
    held = _held(campaign, here)
    if held is None:
        return
    live.every(REFRESH_S, _news)
    if not held.page.rows:
        st.write(_("Nobody is in this list."))
        return
    message_id = _draw_table(here, held)
    _draw_paging(here, held.page)
    if message_id is None:
        st.query_params.pop("message", None)
        st.caption(_("Select a row to see that person's story."))
    else:
        st.query_params["message"] = str(message_id)
        story.draw(message_id)


def _held(campaign: CampaignView, here: Place) -> Held | None:
    """What the reader sees; read only when it is another place or he asked for it anew."""
    at = (here.campaign, here.show, here.code, here.device, here.after, here.before)
    held = st.session_state.get("recipients")
    if isinstance(held, Held) and held.place == at and not st.session_state.pop("recipients anew", False):
        return held
    seen = reading.read(recipients.page, campaign.id, here.wanted, after=here.after, before=here.before)
    with reading.frame(seen, name="recipients") as known:
        if not known or seen.value is None:
            return None
    number = held.number + 1 if isinstance(held, Held) else 0
    held = Held(at, number, seen.value, campaign.counts)
    st.session_state["recipients"] = held
    return held


def _draw_filters(campaign: CampaignView, here: Place) -> None:
    """Each is a new control wherever the address leads, so that the address decides."""
    labels = progress.labels()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        show = st.selectbox(
            _("Show"),
            [EVERY, *labels],
            index=0 if here.show is None else 1 + list(labels).index(here.show),
            format_func=lambda each: labels.get(each, _("Everybody")),
            key=f"show {here}",
            width=200,
        )
        code = _choose_code(campaign, here)
        device = _choose_device(campaign, here)
        st.space("stretch")
        files.people(_("Export this list"), campaign.id, here.wanted, key="export list")
    if (show or None, code, device) != (here.show, here.code, here.device):
        place.go("recipients", show=show or None, code=code, device=device)


def _choose_code(campaign: CampaignView, here: Place) -> str | None:
    report = reading.read(failure_groups.report, campaign.id)
    known = {group.code for group in report.value.groups} if report.known and report.value else set()
    codes = sorted(known | ({here.code} if here.code else set()), key=reason)
    if not codes:
        return None
    code = st.selectbox(
        _("Reason"),
        [EVERY, *codes],
        index=0 if here.code is None else 1 + codes.index(here.code),
        format_func=lambda code: reason(code) or _("Any"),
        key=f"reason {here}",
        width=280,
    )
    return code or None


def _choose_device(campaign: CampaignView, here: Place) -> int | None:
    report = reading.read_within(30, device_report.report, campaign.id)
    lines = report.value if report.known and report.value else []
    names = {line.device_id: line.name or "" for line in lines if line.device_id and not line.deleted}
    if here.device:
        names.setdefault(here.device, _("Phone {id}", id=here.device))
    device = st.selectbox(
        _("Sent from"),
        [0, *names],
        index=0 if here.device is None else 1 + list(names).index(here.device),
        format_func=lambda device: names.get(device, _("All phones")),
        key=f"phone {here}",
        width=200,
    )
    return device or None


def _news() -> None:
    """How much has happened since the table was read."""
    seen = reading.read(campaign_views.one, place.place().campaign)
    held = st.session_state.get("recipients")
    if not (seen.known and seen.value and isinstance(held, Held)):
        return
    now, then, here = seen.value.counts, held.counts, place.place()
    ended = [each for each in M if each not in (M.QUEUED, M.PROCESSING)]
    watched = [each for each in here.wanted.statuses if each in ended] or ended
    news = sum(now[each] - then[each] for each in watched)
    if news > 0:
        with st.container(horizontal=True, vertical_alignment="center", key="news"):
            words = _n("{count} new result", "{count} new results", news, count=shown.number(news))
            if here.code or here.device:
                words = _("{news} in the whole campaign", news=words)
            st.markdown(words, width="content")
            if st.button(_("Refresh"), icon=":material/refresh:", key="refresh"):
                st.session_state["recipients anew"] = True
                reading.expire()
                st.rerun()


def _draw_table(here: Place, held: Held) -> int | None:
    """The page; returns the message of whoever is chosen, who may be on another page when a link led here."""
    rows, zone = held.page.rows, reading.zone()
    ids = [row["id"] for row in rows]
    chosen = [ids.index(here.message)] if here.message in ids else []
    event = st.dataframe(
        {
            _("Name"): [row["name"] or "" for row in rows],
            _("Phone number"): [shown.phone(row["phone"]) for row in rows],
            _("Status"): [status.message_words(row["status"]) for row in rows],
            _("Reason"): [reason(row["code"]) for row in rows],
            _("Since"): [shown.moment(since(row), zone) for row in rows],
            _("Sent from"): [row["device_name"] or "" for row in rows],
            _("Attempts"): [row["attempts"] for row in rows],
        },
        hide_index=True,
        column_config={_("Reason"): st.column_config.Column(width=260)},
        on_select="rerun",
        selection_mode="single-row",
        selection_default={"selection": {"rows": chosen}},
        # A selection is a position: on another page, or after a refresh, the same position is somebody else.
        key=f"people {held.place} {held.number}",
        height="auto" if len(rows) <= 10 else TABLE_PX,
    )
    selected = event["selection"]["rows"]
    if selected:
        return int(ids[selected[0]])
    return None if here.message in ids else here.message


def _draw_paging(here: Place, page: Page) -> None:
    if page.next_before is None and page.next_after is None:
        return
    chosen = {"show": here.show, "code": here.code, "device": here.device}
    with st.container(horizontal=True):
        if st.button(_("Previous 100"), icon=":material/chevron_left:", disabled=page.next_before is None, key="back"):
            place.go("recipients", **chosen, before=page.next_before)
        if st.button(_("Next 100"), icon=":material/chevron_right:", disabled=page.next_after is None, key="on"):
            place.go("recipients", **chosen, after=page.next_after)
