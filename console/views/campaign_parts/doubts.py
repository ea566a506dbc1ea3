"""Messages in doubt: nobody knows whether they arrived. A person decides, for one or for all that are seen here."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import streamlit as st
from sqlalchemy import Connection

from console import reading, shown, writing
from console.parts import doubt
from console.views.campaign_parts import place
from console.words import _, _n
from services import doubts, failure_groups
from services.campaign_views import CampaignView

LISTED = 10
SEND_ALL = "send all again"


def draw(campaign: CampaignView) -> None:
    """Those about which nobody has decided; nothing when there are none."""
    report = reading.read(failure_groups.report, campaign.id)
    rows = reading.read(doubts.undecided, campaign.id)
    if not (report.known and rows.known and report.value and rows.value):
        return
    count = report.value.undecided_count
    may_send = campaign.status != "cancelled"
    st.subheader(
        _n(
            "{count} message in doubt: please decide",
            "{count} messages in doubt: please decide",
            count,
            count=shown.number(count),
        )
    )
    st.write(
        _(
            "They were handed over and no answer came, so they may have arrived. Sent again, some people may get them"
            " twice. Left as they are, nobody does, and a receipt that comes later still counts."
        )
    )
    with st.container(horizontal=True):
        if may_send and st.button(_("Send all again…"), icon=":material/replay:", key="send all again"):
            place.ask(SEND_ALL)
        if st.button(_("Leave all as they are"), icon=":material/done_all:", key="leave all"):
            _leave_all(campaign.id, report.value.as_of)
    if may_send and place.asked(SEND_ALL):
        _confirm(campaign.id, count, report.value.as_of)
    for row in rows.value[:LISTED]:
        _draw_row(row, reading.zone(), may_send=may_send)
    if count > LISTED and st.button(_("Show all of them"), icon=":material/group:", type="tertiary", key="doubts"):
        place.go("recipients", show="unknown")


def _draw_row(row: dict[str, Any], zone: str, *, may_send: bool) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"doubt {row['id']}"):
        words = [shown.phone(row["phone"]), shown.moment(row["unknown_at"], zone)]
        if row["name"]:
            words.insert(0, f"**{shown.plain(row['name'])}**")
        if row["device_name"]:
            words.append(_("from {phone}", phone=shown.plain(row["device_name"])))
        st.markdown(" · ".join(words), width="content")
        st.space("stretch")
        with st.container(horizontal=True, width="content"):
            doubt.choose(row["id"], where="list", may_send=may_send)


def _confirm(campaign_id: int, count: int, as_of: datetime) -> None:
    @st.dialog(_("Send them all again?"), on_dismiss=place.answered)
    def dialog() -> None:
        st.markdown(
            _n(
                "**{count} person may get the message twice.** The decision is written down, with who made it.",
                "**{count} people may get the message twice.** The decision is written down, with who made it.",
                count,
                count=shown.number(count),
            )
        )
        if st.button(_("Send all again"), type="primary", icon=":material/replay:", key="send all again for sure"):
            _send_all_again(campaign_id, as_of)

    dialog()


def _send_all_again(campaign_id: int, as_of: datetime) -> None:
    def work(db: Connection, _workspace_id: int) -> dict[str, int]:
        return {"count": doubts.send_all_again(db, campaign_id, as_of=as_of, who=writing.who())}

    answer = writing.once(f"send all again {campaign_id}", work, asked=as_of.isoformat())
    if answer is not None:
        count = answer["count"]
        writing.tell(
            _n("{count} message goes out again.", "{count} messages go out again.", count, count=shown.number(count))
        )
        place.answered()
        st.rerun()


def _leave_all(campaign_id: int, as_of: datetime) -> None:
    def work(db: Connection, _workspace_id: int) -> dict[str, int]:
        return {"count": doubts.leave_all(db, campaign_id, as_of=as_of, who=writing.who())}

    answer = writing.once(f"leave all {campaign_id}", work, asked=as_of.isoformat())
    if answer is not None:
        count = answer["count"]
        writing.tell(
            _n(
                "{count} message stays as it is.",
                "{count} messages stay as they are.",
                count,
                count=shown.number(count),
            )
        )
        st.rerun()
