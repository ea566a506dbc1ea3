"""A template's whole message as its person sees it: header, text, footer and buttons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import Any, Final

import streamlit as st

from domain.cloud_template import part_in_words, target_in_words

# Names of Streamlit's own icons, which a font draws
_FILES: Final = {"IMAGE": "image", "VIDEO": "movie", "DOCUMENT": "description"}
_CLASSES: Final = {"HEADER": "bubble-head", "FOOTER": "bubble-foot"}


def draw(template: Mapping[str, Any], file: str | None, write: Callable[[str], str]) -> None:
    """The message in a bubble. ``file`` is the name of what its header shows; ``write`` puts a person's values into a text
    with our variables."""
    parts: list[str] = []
    for component in template["components"]:
        kind = str(component.get("type", "")).upper()
        if (icon := _FILES.get(str(component.get("format", "")).upper())) and kind == "HEADER":
            sign = f'<span class="bubble-icon" dir="ltr">{icon}</span>'
            parts.append(f'<div class="bubble-file">{sign} <bdi>{escape(file or "…")}</bdi></div>')
        elif kind == "BUTTONS":
            parts += [_button(*each, template["values"], write) for each in enumerate(component["buttons"])]
        elif words := write(part_in_words(component, template["values"])):
            parts.append(f'<div class="{_CLASSES.get(kind, "bubble-text")}" dir="auto">{escape(words)}</div>')
    st.html(f'<div class="bubble bubble-parts">{"".join(parts)}</div>')


def _button(index: int, button: Mapping[str, Any], values: Mapping[str, str], write: Callable[[str], str]) -> str:
    target = write(target_in_words(index, button, values))
    label = f'<div class="bubble-button" dir="auto">{escape(str(button.get("text") or ""))}'
    return f'{label}<div class="bubble-target" dir="ltr">{escape(target)}</div></div>' if target else f"{label}</div>"
