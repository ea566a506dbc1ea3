"""The templates that the business account of an official number has, whatever their state."""

from __future__ import annotations

from typing import Final

import streamlit as st

from console import reading
from console.parts import synchronise, template_words
from console.words import _
from services import templates
from services.device_views import DeviceView

ROWS: Final = 10  # shown at once; the rest is scrolled to


def draw(device: DeviceView) -> None:
    """The list, and the button that reads it anew."""
    st.subheader(_("Templates"))
    synchronise.draw(place="phone")
    seen = reading.read(templates.every)
    with reading.frame(seen, name="templates") as known:
        if not known:
            return
        own = [template for template in seen.value if device.id in template.device_ids]
        if not own:
            st.write(_("No template yet: they are written in Meta's WhatsApp Manager."))
            return
        st.dataframe(
            {
                _("Name"): [template.name for template in own],
                _("Language"): [template_words.tongue(template.language) for template in own],
                _("Category"): [template_words.kind(template.category) for template in own],
                _("Status"): [template_words.state(template.status) for template in own],
            },
            hide_index=True,
            height="content" if len(own) <= ROWS else 35 * (ROWS + 1),
        )
