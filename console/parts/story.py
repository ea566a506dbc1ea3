"""One person's story: what was sent, where it stands and why, and every attempt to hand it over."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from console import links, reading, shown
from console.parts import bubble, doubt, status
from console.words import _, marked, reason
from domain import failures
from services import message_views

_OUTCOMES: Final = {
    "begun": marked("being sent"),
    "unknown": marked("not known whether it went out"),
    "not_sent": marked("not sent"),
    "sent": marked("sent"),
    "delivered": marked("delivered"),
    "read": marked("read"),
}
_WENT_OUT: Final = ("sent", "delivered", "read")
_PROOFS: Final = {
    "answer": marked("the bridge said so"),
    "refused": marked("the bridge could not be reached"),
    "closed": marked("it was withdrawn before it was sent"),
    "failed": marked("the bridge knows that it failed"),
    "receipt": marked("WhatsApp reported it"),
}


def draw(message_id: int, *, link_to_person: bool = True) -> None:
    """Draw it in a box; ``link_to_person`` leads to everything that is known of the number."""
    seen = reading.read(message_views.one, message_id)
    with st.container(border=True, key="story"), reading.frame(seen, name="story") as known:
        if not known:
            return
        if seen.value is None:
            st.info(_("This message is not there any more: its phone was deleted, and its messages with it."))
            return
        _draw(seen.value, reading.zone(), link_to_person=link_to_person)


def _draw(message: dict[str, Any], zone: str, *, link_to_person: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        number = shown.phone(message["phone"])
        name = f"**{shown.plain(message['name'])}** · {number}" if message["name"] else f"**{number}**"
        st.markdown(name, width="content")
        status.message_badge(message["status"])
        st.space("stretch")
        if link_to_person:
            links.link(
                _("Everything about this number"), "search", icon=":material/person_search:", phone=message["phone"]
            )
    if message["status"] == "processing" and message["accepted_at"] is not None:
        st.caption(_("WhatsApp has it, and has not told yet what came of it."))
    if message["code"]:
        st.markdown(f"**{reason(message['code'])}.** {_advice(message)}")
        _draw_details(message)
    if message["undecided"]:
        with st.container(horizontal=True):
            doubt.choose(message["id"], where="story", may_send=message["campaign_status"] != "cancelled")
    bubble.draw(message["text"])
    st.caption(_times(message, zone))
    _draw_attempts(message, zone)


def _advice(message: dict[str, Any]) -> str:
    if message["status"] not in ("failed", "unknown"):
        return ""
    proven = all(attempt["outcome"] == "not_sent" for attempt in message["attempts"])
    return _(failures.advice(message["code"], proven=proven))


def _draw_details(message: dict[str, Any]) -> None:
    """What the bridge or WhatsApp said besides, in its own words."""
    told = message["reason"].removeprefix(failures.lookup(message["code"]).reason).removeprefix(": ")
    if told:
        st.caption(_("In its own words: {told}", told=shown.plain(told)))


def _times(message: dict[str, Any], zone: str) -> str:
    named = [
        (_("Queued {time}"), message["created_at"]),
        (_("Sent {time}"), message["sent_at"]),
        (_("Delivered {time}"), message["delivered_at"]),
        (_("Read {time}"), message["read_at"]),
    ]
    return " · ".join(words.format(time=shown.moment(at, zone)) for words, at in named if at is not None)


def _draw_attempts(message: dict[str, Any], zone: str) -> None:
    if not message["attempts"]:
        waits = message["status"] == "queued"
        st.caption(
            _("Not tried yet: it waits for its turn.") if waits else _("It was never tried, so nothing was sent.")
        )
    for attempt in message["attempts"]:
        phone = attempt["device_name"] or _("a phone that was deleted")
        words = [
            f"**{_('Attempt {number}', number=shown.number(attempt['number']))}**",
            shown.moment(attempt["begun_at"], zone, exact=True),
            shown.plain(phone),
            _outcome(attempt),
        ]
        st.markdown(" · ".join(words))


def _outcome(attempt: dict[str, Any]) -> str:
    words = _(_OUTCOMES[attempt["outcome"]])
    if attempt["code"] and attempt["proof"] == "receipt" and attempt["outcome"] in _WENT_OUT:
        return f"{words}; {_('WhatsApp also reported: {reason}', reason=reason(attempt['code']))}"
    if attempt["code"]:
        words += f": {reason(attempt['code'])}"
    if attempt["proof"]:
        words += f" ({_(_PROOFS[attempt['proof']])})"
    return words
