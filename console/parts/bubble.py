"""A message as its person sees it. Its direction is that of its own text, whatever the reader's language."""

from __future__ import annotations

from html import escape

import streamlit as st


def draw(text: str) -> None:
    """The text in a bubble, with its line breaks."""
    st.html(f'<div class="bubble" dir="auto">{escape(text)}</div>')
