"""When it goes out, from which phones, and how fast."""

from __future__ import annotations

from typing import Final

import streamlit as st

from console import drafting, shown
from console.drafting import Drafting
from console.views.new_steps import phones, when
from console.words import _, marked
from domain.limits import LONGEST_DELAY_S
from services.drafts import Draft

# The usual ranges of pauses, in seconds; None is the phone's own, and ``own`` a range to type.
PACES: Final = {
    "device": (None, None),
    "usual": (5.0, 15.0),
    "careful": (10.0, 30.0),
}
_PACE_WORDS: Final = {
    "device": marked("Each phone's own pace"),
    "usual": marked("5 to 15 seconds between two messages"),
    "careful": marked("10 to 30 seconds between two messages"),
    "own": marked("A range of my own"),
}
_PACE_NOTES: Final = {
    "device": marked("As it is set for each phone"),
    "usual": marked("Like a person who types"),
    "careful": marked("For new phones and numbers that do not know you"),
    "own": marked("Never faster than a phone's own pace"),
}
FIRST_OWN: Final = (5.0, 20.0)


def draw(now: Drafting) -> None:
    """Draw the step."""
    when.draw(now.draft)
    phones.draw(now.draft)
    _draw_pace(now.draft)


def in_words(draft: Draft) -> str:
    """The pace of a draft in a sentence."""
    found = next((name for name, pace in PACES.items() if pace == (draft.min_delay_s, draft.max_delay_s)), None)
    if found is not None:
        return _(_PACE_WORDS[found])
    return _(
        "{least} to {most} seconds between two messages",
        least=shown.number(draft.min_delay_s or 0),
        most=shown.number(draft.max_delay_s or 0),
    )


def _draw_pace(draft: Draft) -> None:
    st.subheader(_("How fast"))
    kept = (draft.min_delay_s, draft.max_delay_s)
    found = next((name for name, pace in PACES.items() if pace == kept), "own")
    key = f"pace {draft.id}"
    chosen = st.radio(
        _("How fast"),
        list(_PACE_WORDS),
        index=list(_PACE_WORDS).index(found),
        key=key,
        format_func=lambda name: _(_PACE_WORDS[name]),
        captions=[_(note) for note in _PACE_NOTES.values()],
        label_visibility="collapsed",
        on_change=_pace_chosen,
        args=(draft, key),
    )
    if chosen == "own":
        _draw_range(draft)


def _pace_chosen(draft: Draft, key: str) -> None:
    least, most = PACES.get(st.session_state[key], (draft.min_delay_s, draft.max_delay_s))
    if st.session_state[key] == "own" and least is None and most is None:
        least, most = FIRST_OWN
    drafting.save({"min_delay_s": least, "max_delay_s": most})


def _draw_range(draft: Draft) -> None:
    keys = f"least {draft.id}", f"most {draft.id}"
    labels = _("At least, in seconds"), _("At most, in seconds")
    kept = draft.min_delay_s or 0.0, FIRST_OWN[1] if draft.max_delay_s is None else draft.max_delay_s
    with st.container(horizontal=True):
        least, most = (
            st.number_input(
                label,
                min_value=0.0,
                max_value=float(LONGEST_DELAY_S),
                value=float(value),
                step=1.0,
                format="%g",
                key=key,
                width=200,
                on_change=_range_chosen,
                args=keys,
            )
            for label, value, key in zip(labels, kept, keys, strict=True)
        )
    if least > most:
        st.error(_("The shortest pause must not be above the longest."), icon=":material/error:")


def _range_chosen(least_key: str, most_key: str) -> None:
    least, most = st.session_state[least_key], st.session_state[most_key]
    if least <= most:
        drafting.save({"min_delay_s": least, "max_delay_s": most})
