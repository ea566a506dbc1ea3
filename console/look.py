"""The look that the theme cannot say (.streamlit/config.toml has the rest), and the mirror for right-to-left."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from console.words import right_to_left

_FOLDER = Path(__file__).parent / "static"
_LOGO, _LOGO_ON_LIGHT = str(_FOLDER / "fanfare.svg"), str(_FOLDER / "fanfare-on-light.svg")


def dress() -> None:
    """Put on the styles of this page."""
    st.logo(_LOGO, size="large", icon_image=_LOGO_ON_LIGHT)
    styles = _FOLDER.joinpath("console.css").read_text(encoding="utf-8")
    if right_to_left():
        styles += _FOLDER.joinpath("right-to-left.css").read_text(encoding="utf-8")
    st.html(f"<style>{styles}</style>")
