"""The form that adds a phone. One that is paired is started at once, and its QR code shown; of an official number Meta is
asked first, and nothing is scanned."""

from __future__ import annotations

import re
from functools import partial
from typing import Final
from uuid import uuid4

import streamlit as st
from sqlalchemy import Connection

from bridge.directory import DEFAULT
from console import links, reading, shown, writing
from console.views.device_parts import add_official
from console.words import _, marked
from console.world import world
from services import device_views, sessions
from services.add_device import NewDevice, add_device
from services.repeats import Answer
from services.single import checked_number

KINDS: Final = {
    "baileys": marked("WhatsApp phone"),
    "simulator": marked("Simulated phone, to try things out"),
    "cloud": marked("Official number (Meta's Cloud API)"),
}


def close() -> None:
    """The form is gone from the address."""
    st.query_params.pop("add", None)


def dialog() -> None:
    """Open it."""

    @st.dialog(_("Add a phone"), icon=":material/add:", on_dismiss=close)
    def opened() -> None:
        kind = st.radio(_("Kind"), _kinds(), format_func=lambda kind: _(KINDS[kind]), key="kind of phone")
        if kind == "cloud":
            add_official.draw()
        else:
            _draw_form(kind)

    opened()


def _draw_form(kind: str) -> None:
    with st.form("add phone", border=False):
        name = st.text_input(_("Name"), placeholder=_("Sales 1"), max_chars=100)
        number = st.text_input(
            _("Its phone number (optional)"),
            placeholder=shown.isolated("+972 50 123 4567"),
            help=_("It is known by itself once the phone is connected."),
        )
        asked = st.form_submit_button(_("Add and show its QR code"), type="primary")
    if asked and not name.strip():
        st.error(_("A phone needs a name."))
    elif asked:
        _add(name.strip(), kind, number.strip())


def _kinds() -> list[str]:
    """What the bridge that runs can serve, all as long as it is not known; and official numbers, which need none."""
    seen = reading.read(_served)
    return [kind for kind in KINDS if not seen.known or seen.value in (None, kind) or kind == "cloud"]


def _served(db: Connection, _workspace_id: int) -> str | None:
    return device_views.served(db, DEFAULT)


def _add(name: str, kind: str, number: str) -> None:
    added = writing.once("add phone", partial(_insert, name=name, kind=kind, number=number), asked=[name, kind, number])
    if added is None:
        return
    device_id = int(added["id"])
    writing.at_bridge(partial(_start, device_id=device_id))
    links.go("devices", device=device_id, scan=1)


def _insert(db: Connection, workspace_id: int, *, name: str, kind: str, number: str) -> Answer:
    phone = checked_number(number, reading.here(db).default_country) if number else None
    new = NewDevice(
        workspace_id=workspace_id,
        name=name,
        provider=kind,
        session=_session(name),
        bridge_address=DEFAULT,
        phone=phone,
        min_gap_s=None,
        daily_cap=None,
    )
    return {"id": add_device(db, new, who=writing.who())}


def _start(run: sessions.Run, *, device_id: int) -> Answer:
    # A bridge that is away does not undo it: the dialog that comes next says so.
    return {"trouble": sessions.start_new(run, world().bridges, device_id)}


def _session(name: str) -> str:
    """A name at the bridge that nobody else has: readable where the phone's own name is in Latin letters."""
    readable = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]
    return f"{readable or 'phone'}-{uuid4().hex[:6]}"
