"""The phones that need somebody, the most urgent first, each with the one button that helps."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import streamlit as st

from console import links, reading, shown
from console.parts import condition, figures
from console.parts.figures import Figure
from console.views.device_parts import actions, facts, standing
from console.words import _, _n
from domain.condition import REMEDIES, Condition, Remedy, urgency
from services.device_views import DeviceView

WIDTH = 325  # three in a line beside the navigation, one on a phone
SHOWN = 12  # cards; a screen that is longer helps nobody, and the rest stands in a table


def sorted_by_urgency(devices: Sequence[DeviceView]) -> list[DeviceView]:
    return sorted(devices, key=lambda device: (*urgency(device.condition, device.waiting_count), device.id))


def in_trouble(devices: Sequence[DeviceView]) -> list[DeviceView]:
    """Those that somebody must look after, the most urgent first."""
    return [device for device in sorted_by_urgency(devices) if _needs_somebody(device)]


def _needs_somebody(device: DeviceView) -> bool:
    match device.condition:
        case Condition.READY | Condition.BRIDGE_AWAY:  # a bridge that is away is one trouble, not that of each phone
            return False
        case Condition.AT_CAP:
            return device.waiting_count > 0
        case _:
            return True


def draw(devices: Sequence[DeviceView]) -> None:
    """Figures of all phones, then what is wrong."""
    ready = sum(device.condition is Condition.READY for device in devices)
    figures.draw(
        [
            Figure(_("Phones ready"), shown.share(ready, len(devices))),
            Figure(_("Sent today"), shown.number(sum(device.sent_today for device in devices))),
            Figure(_("Waiting to be sent"), shown.number(sum(device.waiting_count for device in devices))),
        ]
    )
    _draw_bridges(devices)
    troubled = in_trouble(devices)
    if not troubled:
        return
    st.subheader(
        _n("{count} phone needs you", "{count} phones need you", len(troubled), count=shown.number(len(troubled)))
    )
    with st.container(horizontal=True, gap="small"):
        for device in troubled[:SHOWN]:
            _draw_card(device)


def _draw_bridges(devices: Sequence[DeviceView]) -> None:
    """One word for all phones of a bridge that is away, in the place of a card for each."""
    away = sorted((device for device in devices if device.bridge_away_since), key=lambda device: device.bridge_address)
    for _address, group in groupby(away, key=lambda device: device.bridge_address):
        behind = list(group)
        since = behind[0].bridge_away_since
        count = shown.number(len(behind))
        waits = sum(device.waiting_count for device in behind)
        words = _n(
            "The bridge to WhatsApp has not answered since {time}, and {count} phone waits for it.",
            "The bridge to WhatsApp has not answered since {time}, and {count} phones wait for it.",
            len(behind),
            time=shown.moment(since, reading.zone()) if since else "",
            count=count,
        )
        rest = _n(
            "{count} message goes on by itself when it is back.",
            "{count} messages go on by themselves when it is back.",
            waits,
            count=shown.number(waits),
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            st.error(f"{words} {rest}" if waits else words, icon=":material/cloud_off:")
            links.link(_("System"), "system", icon=":material/dns:")


def _draw_card(device: DeviceView) -> None:
    with st.container(border=True, width=WIDTH, height="stretch", gap="xsmall", key=f"card-{device.id}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{shown.plain(device.name)}**", width="content")
            condition.badge(device.condition)
        st.caption(facts.number(device))
        st.markdown(condition.told(device))
        told = [facts.waiting(device), facts.sent_today(device), *facts.of_its_session(device)]
        st.caption(" · ".join([*told, *standing.in_words(device)]))
        st.space("stretch")
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            _draw_help(device)
            links.link(_("Open"), "devices", icon=":material/arrow_forward:", device=device.id)


def _draw_help(device: DeviceView) -> None:
    match REMEDIES[device.condition]:
        case Remedy.SCAN_QR:
            actions.scan_button(device, place="card")
        case Remedy.START if device.provider == "cloud":
            actions.look_button(device, place="card")
        case Remedy.START:
            actions.start_button(device, place="card")
