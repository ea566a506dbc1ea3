"""What Meta has told of an official number and its account, the newest first."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import streamlit as st

from console import reading, shown
from console.parts import template_words
from console.views.device_parts import standing
from console.words import _, marked
from domain.cloud_alert import Kind
from services import alerts
from services.alerts import AlertView
from services.device_views import DeviceView

REFRESH_S = 30
SHOWN = 5  # at once; the others are folded away

_WORDS: Final = {
    Kind.RESTRICTED: marked("Meta has restricted this number: it may not send"),
    Kind.LIMITED: marked("Meta has restricted what this account may do"),
    Kind.BAN_PLANNED: marked("Meta is about to ban this account"),
    Kind.BANNED: marked("Meta has banned this account"),
    Kind.REINSTATED: marked("This account may send again"),
    Kind.VIOLATION: marked("Meta says that this account broke its rules"),
    Kind.DISCONNECTED: marked("Meta has ended our access to this account"),
    Kind.REVIEW: marked("Meta has reviewed this account"),
    Kind.QUALITY: marked("The quality of this number has changed"),
    Kind.LIMIT: marked("The number of new people a day has changed"),
    Kind.NAME: marked("Meta has decided about the displayed name"),
    Kind.TEMPLATE: marked("A template has another state"),
    Kind.TEMPLATE_QUALITY: marked("The quality of a template has changed"),
    Kind.ERROR: marked("Meta has told of an error"),
    Kind.NOTICE: marked("A notice of Meta's"),
}
_ICONS: Final = {
    "info": ":material/info:",
    "warning": ":orange[:material/warning:]",
    "serious": ":red[:material/error:]",
}
_SEVERITIES: Final = {"info": marked("Notice"), "warning": marked("Warning"), "serious": marked("Serious")}


def draw(device: DeviceView) -> None:
    """The list, or that there is nothing."""
    st.subheader(_("What Meta has told"))
    seen = reading.read_within(REFRESH_S, alerts.recent, device.id)
    with reading.frame(seen, name="alerts") as known:
        if not known:
            return
        if not seen.value:
            st.write(_("Nothing so far."))
        for alert in seen.value[:SHOWN]:
            _draw_alert(alert)
        if seen.value[SHOWN:]:
            with st.expander(_("Older ones")):
                for alert in seen.value[SHOWN:]:
                    _draw_alert(alert)


def _draw_alert(alert: AlertView) -> None:
    with st.container(gap=None):
        severity = f"**{_(_SEVERITIES[alert.severity])}** · " if alert.severity != "info" else ""
        st.markdown(f"{_ICONS[alert.severity]} {severity}{_(_WORDS[alert.kind])}")
        st.caption(" · ".join([shown.moment(alert.at, reading.zone()), *_details(alert)]))


def _details(alert: AlertView) -> list[str]:
    """What it says besides: what we know in our words, the rest in Meta's."""
    told = dict(alert.details)
    found: list[str] = []
    if "name" in told and "language" in told:
        found.append(shown.plain(template_words.called(str(told.pop("name")), str(told.pop("language")))))
    if alert.kind is Kind.TEMPLATE and "event" in told:
        found.append(shown.plain(template_words.state(str(told.pop("event")))))
    if until := told.pop("until", None):
        found.append(_("until {time}", time=shown.moment(datetime.fromisoformat(until), reading.zone())))
    if "messaging_limit" in told:
        found.append(_("{limit} a day", limit=standing.limit(str(told.pop("messaging_limit")))))
    for name in ("quality", "before"):
        if name in told and standing.quality(told[name]) != standing.UNKNOWN:
            words = _("now {quality}") if name == "quality" else _("before {quality}")
            found.append(words.format(quality=standing.quality(told.pop(name))))
    return [*found, *(shown.plain(_in_words(value)) for value in told.values())]


def _in_words(value: object) -> str:
    return ", ".join(map(_in_words, value)) if isinstance(value, list) else str(value).replace("_", " ")
