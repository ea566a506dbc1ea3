"""From which phones it goes out, and which of them need what."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from console import drafting, reading, shown
from console.parts import condition, phone_needs, senders
from console.words import _
from services.device_views import DeviceView, every
from services.drafts import Draft


def draw(draft: Draft) -> None:
    """Draw the choice."""
    st.subheader(_("From which phones"))
    seen = reading.read(every)
    with reading.frame(seen, name="phones") as known:
        if not known:
            return
        if not seen.value:
            st.error(_("There is no phone yet. Add one before you launch."), icon=":material/smartphone:")
        offered = senders.offered(draft, seen.value)
        if draft.template is not None:
            st.caption(_("A template goes out from official numbers only: here are those that can send this one."))
        phones = {phone.id: phone for phone in offered}
        key = f"phones {draft.id}"
        words = {"all": _all_words(senders.used(replace(draft, device_ids=None), seen.value)), "some": _("Only these")}
        chosen = st.radio(
            _("From which phones"),
            list(words),
            index=0 if draft.device_ids is None else 1,
            key=key,
            format_func=lambda name: words[name],
            label_visibility="collapsed",
            on_change=_all_chosen,
            args=(key,),
        )
        if chosen == "some":
            _draw_choice(draft, phones)
        used = senders.used(draft, seen.value)
        if senders.mixed(draft, seen.value):
            st.error(senders.mixed_words(), icon=":material/error:")
        phone_needs.draw(used)


def _all_words(phones: list[DeviceView]) -> str:
    able = sum(phone.condition in phone_needs.ABLE for phone in phones)
    return _("All that can send: {share} now", share=shown.share(able, len(phones)))


def _all_chosen(key: str) -> None:
    drafting.save({"device_ids": None if st.session_state[key] == "all" else []})


def _draw_choice(draft: Draft, phones: dict[int, DeviceView]) -> None:
    key = f"chosen {draft.id}"
    st.multiselect(
        _("Phones"),
        list(phones),
        default=[device_id for device_id in draft.device_ids or () if device_id in phones],
        format_func=lambda device_id: _phone_words(phones[device_id]),
        key=key,
        placeholder=_("Choose at least one phone"),
        label_visibility="collapsed",
        width=640,
        on_change=lambda: drafting.save({"device_ids": list(st.session_state[key])}),
    )


def _phone_words(phone: DeviceView) -> str:
    able = phone.condition in phone_needs.ABLE
    return phone.name if able else f"{phone.name} · {condition.words(phone.condition)}"
