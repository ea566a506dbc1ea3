"""All campaigns, the newest first, and the drafts: by group and title, both in the address."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st
from sqlalchemy import Connection

from console import links, live, reading, shown, writing
from console.parts import campaign_card
from console.reading import Seen
from console.words import _, _n, marked
from domain.status import CampaignStatus as S
from services import campaign_views, clone, drafts

REFRESH_S = 5
ON_A_PAGE = 20

GROUPS: Final = {
    "all": campaign_views.LAUNCHED,
    "running": (S.ACCEPTED, S.QUEUED, S.RUNNING, S.PAUSED),
    "scheduled": (S.SCHEDULED,),
    "ended": (S.COMPLETED, S.PARTIAL, S.FAILED, S.CANCELLED),
    "drafts": (S.DRAFT,),
}
NAMES: Final = {
    "all": marked("All"),
    "running": marked("Running"),
    "scheduled": marked("Scheduled"),
    "ended": marked("Ended"),
    "drafts": marked("Drafts"),
}


def _group() -> str:
    asked = st.query_params.get("show", "all")
    return asked if asked in GROUPS else "all"


def _title() -> str:
    return st.query_params.get("find", "").strip()


def _narrow(group: str, title: str) -> None:
    """Write into the address what is to be shown, from its first page on."""
    for name, value in (("show", group if group != "all" else ""), ("find", title), ("before", "")):
        if value:
            st.query_params[name] = value
        else:
            st.query_params.pop(name, None)


def _draw_filters() -> None:
    """The address is what counts: what is chosen goes there, and what is shown as chosen comes from there."""

    def choose() -> None:
        _narrow(st.session_state["campaigns-show"], _title())

    def find() -> None:
        _narrow(_group(), str(st.session_state["campaigns-find"] or "").strip())

    seen = reading.read(campaign_views.how_many)

    def name(group: str) -> str:
        if not seen.known or group == "all":
            return _(NAMES[group])
        return f"{_(NAMES[group])} {shown.number(sum(seen.value.get(status, 0) for status in GROUPS[group]))}"

    st.session_state["campaigns-show"] = _group()
    st.session_state["campaigns-find"] = _title()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.segmented_control(
            _("Which campaigns"),
            list(GROUPS),
            format_func=name,
            required=True,
            wrap=True,
            key="campaigns-show",
            on_change=choose,
            label_visibility="collapsed",
        )
        st.text_input(
            _("Search in names"),
            key="campaigns-find",
            placeholder=_("Search in names"),
            icon=":material/search:",
            max_chars=100,
            on_change=find,
            label_visibility="collapsed",
            width=240,
        )


def _list() -> None:
    if _group() == "drafts":
        _draw_drafts(reading.read(drafts.every))
        return
    seen = reading.read(
        campaign_views.page, before=links.number("before"), statuses=GROUPS[_group()], title=_title(), limit=ON_A_PAGE
    )
    with reading.frame(seen, name="campaigns") as known:
        if not known:
            return
        for campaign in seen.value.rows:
            with campaign_card.card(campaign["title"], campaign["status"]) as buttons:
                campaign_card.draw_standing(campaign)
                with buttons:
                    _draw_clone(campaign["id"])
                    links.link(_("Open"), "campaign", icon=":material/arrow_forward:", campaign=campaign["id"])
        if not seen.value.rows:
            _draw_nothing()
        _draw_pages(seen.value.next_after)
        reading.updated(seen)


def _draw_drafts(seen: Seen[list[drafts.Listed]]) -> None:
    with reading.frame(seen, name="drafts") as known:
        if not known:
            return
        found = [draft for draft in seen.value if _title().casefold() in draft.title.casefold()]
        for draft in found:
            people = _n("{count} person", "{count} people", draft.people, count=shown.number(draft.people))
            edited = _("edited {time}", time=shown.moment(draft.edited_at, reading.zone()))
            with campaign_card.card(draft.title, "draft") as buttons:
                st.caption(f"{people} · {edited}")
                with buttons:
                    _draw_delete(draft)
                    _draw_clone(draft.id)
                    links.link(_("Continue"), "new", icon=":material/arrow_forward:", draft=draft.id)
        if not found:
            _draw_nothing()


def _draw_nothing() -> None:
    if _title():
        st.write(_("No campaign here has “{title}” in its title.", title=shown.plain(_title())))
        links.link(_("Show all campaigns"), "campaigns", icon=":material/filter_alt_off:")
    elif links.number("before") is not None:
        st.write(_("There are no older campaigns."))
    else:
        nothing = {
            "all": _("Nothing has been launched yet. What you have begun stands under Drafts."),
            "running": _("No campaign is running."),
            "scheduled": _("No campaign is waiting for its time."),
            "ended": _("No campaign has ended yet."),
            "drafts": _("There are no drafts. What you begin and do not launch is kept here."),
        }
        st.write(nothing[_group()])


def _draw_pages(next_before: int | None) -> None:
    if links.number("before") is None and next_before is None:
        return
    with st.container(horizontal=True, horizontal_alignment="center"):
        if links.number("before") is not None:
            links.link(_("Newest"), "campaigns", icon=":material/first_page:", show=_group(), find=_title() or None)
        if next_before is not None:
            links.link(
                _("Older"),
                "campaigns",
                icon=":material/chevron_right:",
                show=_group(),
                find=_title() or None,
                before=next_before,
            )


def _draw_clone(campaign_id: int) -> None:
    pressed = st.button(_("Clone"), icon=":material/content_copy:", key=f"clone {campaign_id}", type="tertiary")
    if pressed and (
        made := writing.once(
            f"clone {campaign_id}",
            lambda db, workspace_id: _clone(db, workspace_id, campaign_id),
            said=_("A copy was made. Change what you like, then launch it."),
        )
    ):
        links.go("new", draft=made["draft"])


def _draw_delete(draft: drafts.Listed) -> None:
    with st.popover(_("Delete…"), icon=":material/delete:", type="tertiary"):
        st.write(
            _n(
                "“{title}”, its message and its {count} person are gone for good.",
                "“{title}”, its message and its {count} people are gone for good.",
                draft.people,
                title=campaign_card.title(draft.title),
                count=shown.number(draft.people),
            )
        )
        pressed = st.button(_("Delete"), type="primary", icon=":material/delete:", key=f"delete {draft.id}")
    if pressed and writing.once(
        f"delete draft {draft.id}",
        lambda db, workspace_id: _delete(db, workspace_id, draft.id),
        said=_("The draft is deleted."),
    ):
        st.rerun()


def _clone(db: Connection, workspace_id: int, campaign_id: int) -> dict[str, Any]:
    return {"draft": clone.clone(db, workspace_id, campaign_id, who=writing.who())}


def _delete(db: Connection, workspace_id: int, draft_id: int) -> dict[str, Any]:
    drafts.delete(db, workspace_id, draft_id, who=writing.who())
    return {"deleted": draft_id}


with st.container(horizontal=True, vertical_alignment="center"):
    st.title(_("Campaigns"))
    links.link(_("New campaign"), "new", icon=":material/add_circle:")
_draw_filters()
live.every(REFRESH_S, _list)
