"""Text that is saved while it is typed. A page takes a text only when its field is left, and a reload before that would lose
what somebody has just written."""

from __future__ import annotations

from typing import Final

import streamlit as st

KEY: Final = "saved-as-typed"
_REST_MS: Final = 600  # of not typing; each time costs a run of the page

# Ctrl+Enter is how a field is taken without leaving it. It is said to the document once, whatever is drawn anew.
_SCRIPT: Final = f"""
if (!window.savedAsTyped) {{
  window.savedAsTyped = true;
  let rest;
  document.addEventListener("input", ({{ target }}) => {{
    if (!target.closest(".st-key-{KEY}")) return;
    clearTimeout(rest);
    const taken = new KeyboardEvent("keydown", {{ key: "Enter", ctrlKey: true, bubbles: true }});
    rest = setTimeout(() => target.dispatchEvent(taken), {_REST_MS});
  }});
}}
"""


def watch() -> None:
    """Fields inside ``st.container(key=KEY)`` are taken at every pause in typing."""
    st.html(f"<script>{_SCRIPT}</script>", unsafe_allow_javascript=True)
