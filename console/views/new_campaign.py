"""A new campaign, from the file of its people to its launch: four steps over one draft, which is in the address."""

from __future__ import annotations

from typing import Final

import streamlit as st
from sqlalchemy import Connection

from console import drafting, links, reading, shown, writing
from console.drafting import Drafting, Gone
from console.views.new_steps import check, message, pace, people
from console.words import _, _n, marked, right_to_left
from services import drafts
from services.drafts import Listed

STEPS: Final = {
    "people": (marked("People"), people.draw),
    "message": (marked("Message"), message.draw),
    "pace": (marked("When and pace"), pace.draw),
    "check": (marked("Check"), check.draw),
}
LISTED = 8  # drafts that can be gone on with from here


def _page() -> None:
    draft_id = drafting.asked()
    unsaved = drafting.save_what_is_left()
    here = reading.workspace()
    if not draft_id:
        st.title(_("New campaign"))
        with reading.frame(here, name="draft") as known:
            if known:
                _draw_steps(drafting.begun(), unsaved=unsaved)
                _draw_drafts()
        return
    seen = reading.read(drafting.read, draft_id)
    if seen.known and isinstance(seen.value, Gone):
        _draw_gone(draft_id, launched=seen.value.launched)
        return
    now = seen.value if seen.known and isinstance(seen.value, Drafting) else None
    st.title((now and shown.plain(now.draft.title)) or _("New campaign"))
    with reading.frame(seen, here, name="draft") as known:
        if known and now is not None:
            _draw_steps(now, unsaved=unsaved)


def _draw_steps(now: Drafting, *, unsaved: bool) -> None:
    step = _step()
    st.session_state["step"] = step
    with st.container(horizontal=True, vertical_alignment="center", key="steps"):
        st.pills(
            _("Step"),
            list(STEPS),
            key="step",
            required=True,
            format_func=lambda name: f"{list(STEPS).index(name) + 1} · {_(STEPS[name][0])}",
            label_visibility="collapsed",
            wrap=True,
            on_change=_go_to_chosen,
        )
        st.space("stretch")
        _draw_saved(now, unsaved=unsaved)
    STEPS[step][1](now)
    if step != "check":
        after = list(STEPS)[list(STEPS).index(step) + 1]
        st.button(
            _("Next: {step}", step=_(STEPS[after][0])),
            type="primary",
            icon=":material/arrow_back:" if right_to_left() else ":material/arrow_forward:",
            icon_position="right",
            on_click=_go_to,
            args=(after,),
        )


def _step() -> str:
    asked = st.query_params.get("step", "people")
    return asked if asked in STEPS else "people"


def _go_to_chosen() -> None:
    _go_to(st.session_state["step"])


def _go_to(step: str) -> None:
    st.query_params["step"] = step


def _draw_saved(now: Drafting, *, unsaved: bool) -> None:
    if unsaved:
        st.badge(_("Not saved yet"), icon=":material/cloud_off:", color="orange")
    elif now.draft.id:
        st.caption(_("Saved {time}", time=shown.moment(now.draft.edited_at, reading.zone())), width="content")
        with st.popover(_("More"), icon=":material/more_horiz:", type="tertiary"):
            # The navigation's own link leads to where one is: to this draft, in which an upload replaces the people
            if st.button(_("Begin another campaign"), icon=":material/add_circle:", type="tertiary"):
                links.go("new")
            if st.button(_("Delete this draft"), icon=":material/delete:", type="tertiary") and writing.once(
                f"delete draft {now.draft.id}",
                lambda db, workspace_id: _delete(db, workspace_id, now.draft.id),
                said=_("The draft is deleted."),
            ):
                links.go("new")


def _draw_drafts() -> None:
    seen = reading.read(drafts.every)
    if not seen.known or not seen.value:
        return
    st.subheader(_("Go on with a draft"))
    for draft in seen.value[:LISTED]:
        _draw_draft(draft)


def _draw_draft(draft: Listed) -> None:
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.markdown(f"**{shown.plain(draft.title) or _('No name yet')}**", width="content")
        people_of_it = _n("{count} person", "{count} people", draft.people, count=shown.number(draft.people))
        edited = _("edited {time}", time=shown.moment(draft.edited_at, reading.zone()))
        st.caption(f"{people_of_it} · {edited}", width="content")
        st.space("stretch")
        links.link(_("Open"), "new", icon=":material/arrow_forward:", draft=draft.id)


def _draw_gone(draft_id: int, *, launched: bool) -> None:
    if launched:
        links.go("campaign", campaign=draft_id)
    st.title(_("New campaign"))
    st.info(_("This draft is not there any more: somebody may have deleted it."), icon=":material/info:")
    links.link(_("Begin a new campaign"), "new", icon=":material/add_circle:")


def _delete(db: Connection, workspace_id: int, draft_id: int) -> dict[str, int]:
    drafts.delete(db, workspace_id, draft_id, who=writing.who())
    return {"deleted": draft_id}


_page()
