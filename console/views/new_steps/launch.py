"""The launch of a draft: one press, one campaign."""

from __future__ import annotations

import streamlit as st
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from console import links, reading, shown, writing
from console.drafting import SAME, Drafting
from console.words import _, _n
from console.world import world
from services import campaign_views, connection_check, launch_draft
from services.repeats import Answer


def draw(now: Drafting, *, blocked: bool) -> None:
    """The button, or the choice when the same was launched a moment ago."""
    people = now.sums.will_receive
    count = shown.number(people)
    label = (
        _n("Launch to {count} person", "Launch to {count} people", people, count=count)
        if now.draft.scheduled_at is None
        else _n("Schedule for {count} person", "Schedule for {count} people", people, count=count)
    )
    earlier = links.number(SAME)
    if earlier is not None:
        _draw_repeat(now, earlier, blocked=blocked)
    elif st.button(label, type="primary", icon=":material/rocket_launch:", disabled=blocked, key="launch"):
        _launch(now, allow_repeat=False)


def _draw_repeat(now: Drafting, earlier: int, *, blocked: bool) -> None:
    """The same was launched a moment ago: nothing is sent twice unless that is meant."""
    seen = reading.read(campaign_views.one, earlier)
    title = seen.value.title if seen.known and seen.value is not None else ""
    st.warning(
        _(
            "This message went to these people already, in {campaign}, within the last ten minutes. Nothing was launched.",
            campaign=f"**{shown.plain(title)}**",
        ),
        icon=":material/content_copy:",
    )
    again = _n(
        "Launch all the same, to {count} person",
        "Launch all the same, to {count} people",
        now.sums.will_receive,
        count=shown.number(now.sums.will_receive),
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        links.link(_("Open that campaign"), "campaign", icon=":material/arrow_forward:", campaign=earlier)
        if st.button(again, icon=":material/rocket_launch:", disabled=blocked, key="launch again"):
            _launch(now, allow_repeat=True)


def _launch(now: Drafting, *, allow_repeat: bool) -> None:
    draft = now.draft
    with st.spinner(_("Asking the phones, then launching…")):
        if draft.scheduled_at is None:
            _ask_bridges(draft.device_ids)
        answer = writing.once(
            f"launch {draft.id} {'again' if allow_repeat else ''}",
            lambda db, workspace_id: _launched(db, workspace_id, draft.id, allow_repeat=allow_repeat),
        )
    if answer is None:
        return
    if answer["campaign"] != draft.id:
        st.query_params[SAME] = str(answer["campaign"])
        st.rerun()
    queued = answer["queued"]
    writing.tell(_n("Queued: {count} recipient", "Queued: {count} recipients", queued, count=shown.number(queued)))
    links.go("campaign", campaign=draft.id)


def _ask_bridges(device_ids: list[int] | None) -> None:
    """A database that does not answer is said by the launch that follows."""
    try:
        connection_check.check(
            world().run,
            world().bridges.look,
            reading.workspace().value.id,
            device_ids,
            interval_s=world().settings.health_interval_s,
        )
    except SQLAlchemyError:
        return


def _launched(db: Connection, workspace_id: int, draft_id: int, *, allow_repeat: bool) -> Answer:
    done = launch_draft.launch_draft(db, workspace_id, draft_id, who=writing.who(), allow_repeat=allow_repeat)
    return {"campaign": done.campaign_id, "queued": done.queued_count}
