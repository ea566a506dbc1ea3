"""The password before every page: one for all until there are accounts, and a name for the record.

Who passed gets a signed token. It lives in the browser session and, so that a reload does not ask again, in a cookie that
no script can read (console/serve.py sets it). It is over after CONSOLE_SESSION_S, and when the password is changed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from dataclasses import dataclass

import streamlit as st
from itsdangerous import BadData, URLSafeTimedSerializer

from console.words import LANGUAGES, _, choose, language
from console.world import world

COOKIE = "fanfare_console"
PAUSE_S = 1.0  # after a wrong password, for everybody who tries at that time
LONGEST_NAME = 40
_one_try_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who passed, and until when (Unix time)."""

    name: str
    until: float
    token: str


def passed() -> bool:
    """Whether this browser session gave the password and is not over; draws the form when it did not."""
    visitor = _visitor()
    if visitor is not None:
        st.session_state["visitor"] = visitor
        _remember(visitor)
        return True
    _draw_form()
    return False


def over() -> bool:
    """Whether the session has ended since the page was drawn."""
    return _visitor() is None


def check() -> None:
    """Nothing is done in a session that is over, however long its page stood open: the gate is drawn instead."""
    if over():
        st.rerun()


def visitor_name() -> str:
    """The name that was given at the gate, or nothing."""
    visitor = st.session_state.get("visitor")
    return visitor.name if isinstance(visitor, Visitor) else ""


def leave() -> None:
    """End the session, also for the next reload."""
    st.session_state.pop("visitor", None)
    st.session_state["left"] = True


def read(token: str) -> Visitor | None:
    """Whoever a token was given to; None when it is not ours or is over."""
    session_s = world().settings.console_session_s
    try:
        name, given_at = _signer().loads(token, max_age=session_s, return_timestamp=True)
    except BadData:
        return None
    return Visitor(str(name), given_at.timestamp() + session_s, token)


def _visitor() -> Visitor | None:
    visitor = st.session_state.get("visitor")
    if isinstance(visitor, Visitor):
        return visitor if time.time() < visitor.until else None
    if st.session_state.get("left"):
        return None
    return read(st.context.cookies.get(COOKIE, ""))


def _draw_form() -> None:
    with st.container(key="gate", width=380):
        st.title("Fanfare")
        if st.session_state.get("left"):
            _call("leave", "")
        with st.form("gate", border=False):
            name = st.text_input(_("Your name, for the record of who did what (optional)"), max_chars=LONGEST_NAME)
            given = st.text_input(_("Password"), type="password")
            asked = st.form_submit_button(_("Enter"), type="primary", width="stretch")
        if asked and _right(given):
            token = str(_signer().dumps(name.strip()))
            st.session_state["visitor"] = read(token)
            st.session_state["left"] = False
            st.rerun()
        if asked:
            st.error(_("That is not the password."))
        draw_languages()


def draw_languages() -> None:
    """The languages that the console speaks, one press each."""
    with st.container(horizontal=True, gap="small", key="languages"):
        for code, name in LANGUAGES.items():
            if code != language() and st.button(name, type="tertiary", key=f"language {code}"):
                choose(code)
                st.rerun()


def _right(given: str) -> bool:
    """Compared in constant time. Guesses wait for one another, so that many sessions guess no faster than one."""
    with _one_try_at_a_time:
        right = hmac.compare_digest(given.encode(), world().password.encode())
        if not right:
            time.sleep(PAUSE_S)
        return right


def _signer() -> URLSafeTimedSerializer:
    key = hashlib.sha256(b"fanfare console " + world().password.encode()).digest()
    return URLSafeTimedSerializer(key, salt="session")


def _remember(visitor: Visitor) -> None:
    """Have the cookie set, once a browser session: a page cannot set one that scripts cannot read, a request can."""
    if st.session_state.get("remembered") != visitor.token and st.context.cookies.get(COOKIE) != visitor.token:
        st.session_state["remembered"] = visitor.token
        _call("enter", visitor.token)


def _call(route: str, body: str) -> None:
    with st.container(key=f"call-{route}"):
        script = f"fetch('/{route}', {{method: 'POST', credentials: 'same-origin', body: {json.dumps(body)}}})"
        st.html(f"<script>{script}</script>", unsafe_allow_javascript=True)
