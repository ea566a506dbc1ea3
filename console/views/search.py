"""Everything that is known of one phone number: who it is, whether it may be written to, and every message to it."""

from __future__ import annotations

from typing import Final

import streamlit as st
from sqlalchemy import Connection

from console import links, reading, shown
from console.parts import status, story
from console.words import _, marked, reason
from services import person_views
from services.message_views import since
from services.person_views import PersonView
from services.refused import Refused

SUPPRESSIONS: Final = {
    "opt_out": marked("This person opted out"),
    "invalid": marked("This number cannot be written to"),
    "complaint": marked("This person complained"),
    "by_hand": marked("Put on the never-send list by hand"),
}
TABLE_PX = 460


def _find(db: Connection, _workspace_id: int, number: str) -> PersonView | str:
    """The person, or the code of why this is no number."""
    try:
        return person_views.find(db, reading.here(db), number)
    except Refused as refused:
        return str(refused.details["reason"])


def _draw_person(person: PersonView) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        number = shown.phone(person.phone)
        st.subheader(f"{shown.plain(person.name)} · {number}" if person.name else number, width="content")
        if person.suppression is None:
            st.badge(_("No opt-out on record"), icon=":material/check_circle:", color="green")
        else:
            st.badge(_("On the never-send list"), icon=":material/do_not_disturb_on:", color="red")
    if person.suppression is not None:
        since = shown.moment(person.suppression.created_at, reading.zone())
        words = _(
            "{why}, {time}. Nothing is sent to this number.", why=_(SUPPRESSIONS[person.suppression.reason]), time=since
        )
        st.warning(
            f"{words} {_('Proof: {proof}', proof=shown.plain(person.suppression.proof))}", icon=":material/block:"
        )
    _draw_lead(person)
    if person.messages:
        _draw_messages(person)
    else:
        st.write(_("No message was ever sent to this number."))


def _draw_lead(person: PersonView) -> None:
    lead = person.lead
    if lead is None:
        st.caption(_("Not among the leads."))
        return
    facts = [_("Lead since {time}", time=shown.moment(lead.created_at, reading.zone()))]
    facts += [shown.plain(fact) for fact in (lead.niche, *lead.tags) if fact]
    facts += [f"{shown.plain(name)}: {shown.plain(str(value))}" for name, value in lead.attributes.items()]
    if lead.device_name:
        facts.append(_("always from {phone}", phone=shown.plain(lead.device_name)))
    st.caption(" · ".join(facts))


def _draw_messages(person: PersonView) -> None:
    rows, zone = person.messages, reading.zone()
    ids = [row["id"] for row in rows]
    asked = st.query_params.get("message", "")
    chosen = [index for index, message_id in enumerate(ids) if str(message_id) == asked or len(ids) == 1]
    event = st.dataframe(
        {
            _("Campaign"): [row["campaign_title"] or _("Single message") for row in rows],
            _("Status"): [status.message_words(row["status"]) for row in rows],
            _("Reason"): [reason(row["code"]) for row in rows],
            _("Since"): [shown.moment(since(row), zone) for row in rows],
            _("Sent from"): [row["device_name"] or "" for row in rows],
            _("Attempts"): [row["attempts"] for row in rows],
        },
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        selection_default={"selection": {"rows": chosen}},
        key=f"messages {person.phone} {ids[0]} {len(ids)}",
        height="auto" if len(rows) <= 10 else TABLE_PX,
    )
    selected = event["selection"]["rows"]
    if not selected:
        st.query_params.pop("message", None)
        st.caption(_("Select a row to see the whole story of a message."))
        return
    row = rows[selected[0]]
    st.query_params["message"] = str(row["id"])
    if row["campaign_id"]:
        links.link(
            _("Open the campaign"),
            "campaign",
            icon=":material/campaign:",
            campaign=row["campaign_id"],
            tab="recipients",
            message=row["id"],
        )
    story.draw(row["id"], link_to_person=False)


def _draw() -> None:
    st.title(_("Find a phone number"))
    asked = st.query_params.get("phone", "").strip()
    with st.form("search", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        typed = st.text_input(
            _("Phone number, in any usual spelling"),
            asked,
            max_chars=64,
            placeholder=shown.isolated("050-123-4567"),
            width=320,
            key=f"number {asked}",
        )
        pressed = st.form_submit_button(_("Find"), icon=":material/search:", type="primary")
    if pressed and typed.strip() and typed.strip() != asked:
        links.go("search", phone=typed.strip())
    if not asked:
        st.caption(_("Every campaign, status and reason of one person on one page."))
        return
    seen = reading.read(_find, asked)
    with reading.frame(seen, name="person") as known:
        if not known:
            return
        found = seen.value
        if isinstance(found, PersonView):
            _draw_person(found)
        else:
            st.error(f"{reason(found)}.")


_draw()
