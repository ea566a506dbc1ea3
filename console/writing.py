"""One click, one service call, one effect.

A second click, another widget or a closed tab can cut a handler in half at its next word to the page, or run it twice.
So a write is one call in one transaction, under a key that all runs of one click share, and what is shown comes after it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Final, TypeVar
from uuid import uuid4

import streamlit as st
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from console import gate, reading
from console.refusals import in_words
from console.words import _
from console.world import world
from services import repeats
from services.refused import Refused
from services.repeats import Answer, Keyed
from services.sessions import Run

Result = TypeVar("Result")

DOUBLE_CLICK_S: Final = 1.0
AGAIN_S: Final = 60.0  # a press that nobody knows the end of and that is repeated for so long is still the same one


@dataclass
class _Press:
    """A press with its key. What becomes of it is noted in the object itself: a run can be cut at each word to the session's
    state, and what was done must not be taken for what is still to do, or the next press would do nothing."""

    form: str
    content: str
    key: str
    at: float
    done: bool = False

    def ends(self, *, done: bool) -> None:
        self.done, self.at = done, monotonic()

    def is_still(self, content: str) -> bool:
        return self.content == content and monotonic() - self.at < (DOUBLE_CLICK_S if self.done else AGAIN_S)


def once(
    form: str,
    work: Callable[[Connection, int], Answer | None],
    *,
    asked: object = None,
    said: str | None = None,
    undoes: str | None = None,
) -> Answer | None:
    """Do ``work(db, workspace_id)`` once, however often this click arrives; returns its answer, or None when it was
    refused or the database does not answer, which is then shown.

    ``form`` names the button or form with its object (``pause 12``), ``asked`` is what else it asks for (JSON values),
    ``said`` is told in passing when it is done, also after a rerun. What is pressed again with nothing else in between is
    the same press: for the length of a double click when it is done, and for a minute after a failure.

    ``undoes`` names the form whose button stands in the same place until it was pressed: the second half of a double click
    on *Pause* lands on *Resume*, and is not meant for it.
    """
    gate.check()
    if undoes is not None and _is_second_half(undoes):
        return None
    content = hashlib.sha256(json.dumps([form, asked], sort_keys=True, default=str).encode()).hexdigest()
    press = _press(form, content)

    def transaction(db: Connection) -> Answer:
        workspace_id = reading.here(db).id
        keyed = Keyed(workspace_id, f"console {press.key}", content)
        return repeats.once(db, keyed, lambda: work(db, workspace_id) or {})

    try:
        answer = world().run(transaction)
        press.ends(done=True)
    except Refused as refused:
        reading.expire()
        st.error(in_words(refused))
        return None
    except SQLAlchemyError:
        press.ends(done=False)
        st.error(_("The database does not answer. Press again in a moment: it is done once, however often you press."))
        return None
    reading.expire()
    if said:
        tell(said)
    return answer


def _press(form: str, content: str) -> _Press:
    press = st.session_state.get("press")
    if not (isinstance(press, _Press) and press.is_still(content)):
        press = _Press(form, content, str(uuid4()), monotonic())
        st.session_state["press"] = press
    return press


def _is_second_half(form: str) -> bool:
    press = st.session_state.get("press")
    return isinstance(press, _Press) and press.form == form and press.done and press.is_still(press.content)


def at_bridge(work: Callable[[Run], Answer], *, said: str | None = None) -> Answer | None:
    """Do ``work(run)``, which asks a bridge between its transactions (services/sessions.py); as ``once``, but a press that
    arrives twice asks twice: the bridge is what keeps that harmless."""
    gate.check()
    try:
        answer = work(run_here)
    except Refused as refused:
        reading.expire()
        st.error(in_words(refused))
        return None
    except SQLAlchemyError:
        st.error(_("The database does not answer. Try again in a moment."))
        return None
    reading.expire()
    if said:
        tell(said)
    return answer


def run_here(work: Callable[[Connection, int], Result]) -> Result:
    """Run a service in one transaction, with the id of the workspace."""
    return world().run(lambda db: work(db, reading.here(db).id))


def tell(text: str, *, stays: bool = False) -> None:
    """Say it in passing, now or after the rerun that follows; ``stays``: until it is closed, because there is something to
    do about it."""
    st.session_state.setdefault("told", []).append((text, stays))


def show_told() -> None:
    """What was done just now; drawn first on every page."""
    for text, stays in st.session_state.pop("told", []):
        if stays:
            st.toast(text, icon=":material/warning:", duration="infinite")
        else:
            st.toast(text, icon=":material/check_circle:")


def who() -> str:
    """In whose name it is written down."""
    return f"console: {gate.visitor_name()}" if gate.visitor_name() else "console"
