"""What it says: a text of one's own or a template of Meta's, as real people will get it, and a test to one's own phone."""

from __future__ import annotations

from typing import Final

import streamlit as st

from console import drafting, reading
from console.drafting import Drafting
from console.views.new_steps import message_template, message_text, preview, to_me
from console.words import _, marked
from services.device_views import every

CLOUD: Final = "cloud"
KIND: Final = "kind"  # in the address: a template is wanted, of which none is chosen yet
_KINDS: Final = {"text": marked("Text"), "template": marked("Template")}


def draw(now: Drafting) -> None:
    """Draw the step: what it says, and beside it what people get."""
    editor, beside = st.columns([3, 2], gap="large")
    with editor:
        _draw_kinds(now)
        if wants_template(now):
            message_template.draw(now)
        else:
            message_text.draw(now)
    with beside:
        to_me.draw(now, preview.draw(now))


def wants_template(now: Drafting) -> bool:
    """Whether a template is chosen, or is to be."""
    return now.draft.template is not None or st.query_params.get(KIND) == "template"


def _draw_kinds(now: Drafting) -> None:
    """The choice, for whoever has a number that can send templates, or had one."""
    phones = reading.read(every)
    official = phones.known and any(phone.provider == CLOUD for phone in phones.value)
    if not official and not wants_template(now):
        return
    # The draft decides, so the control is a new one wherever it stands.
    kind = "template" if wants_template(now) else "text"
    key = f"kind {now.draft.id} {kind}"
    st.segmented_control(
        _("What is sent"),
        list(_KINDS),
        default=kind,
        required=True,
        format_func=lambda name: _(_KINDS[name]),
        key=key,
        label_visibility="collapsed",
        on_change=_choose,
        args=(now, key),
    )
    if kind == "text":
        st.caption(
            _(
                "Official numbers may send a text of your own only to people who have written to them within 24 hours."
                " A template reaches everybody."
            )
        )


def _choose(now: Drafting, key: str) -> None:
    """What is left is kept for whoever comes back to it in this session."""
    draft = now.draft
    text, filling = f"left text {draft.id}", f"left template {draft.id}"
    if st.session_state[key] == "template":
        st.query_params[KIND] = "template"
        st.session_state[text] = draft.message
        if st.session_state.get(filling) is not None:
            drafting.save({"template": st.session_state[filling]})
        return
    st.query_params.pop(KIND, None)
    if draft.template is not None:
        st.session_state[filling] = draft.template
        drafting.save({"template": None, "message": st.session_state.get(text, "")})
