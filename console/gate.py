"""The password before every page: one for all until there are accounts."""

from __future__ import annotations

import hmac
import threading
import time

import streamlit as st

from console.world import world

PAUSE_S = 1.0  # after a wrong password, for everybody who tries at that time
_one_try_at_a_time = threading.Lock()


def passed() -> bool:
    """Whether this browser session gave the password; draws the form when it has not."""
    if st.session_state.get("passed"):
        return True
    st.title("Fanfare")
    with st.form("gate"):
        given = st.text_input("Password", type="password")
        asked = st.form_submit_button("Enter")
    if asked and _right(given):
        st.session_state["passed"] = True
        st.rerun()
    if asked:
        st.error("That is not the password.")
    return False


def _right(given: str) -> bool:
    """Compared in constant time. Guesses wait for one another, so that many sessions guess no faster than one."""
    with _one_try_at_a_time:
        right = hmac.compare_digest(given.encode(), world().password.encode())
        if not right:
            time.sleep(PAUSE_S)
        return right
