"""The end of a phone: first what waits on it is moved or cancelled, then it goes with its people and messages (R24)."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Any

import streamlit as st
from sqlalchemy import Connection

from console import links, reading, shown, writing
from console.words import _, _n
from console.world import world
from services import delete_device as deleting
from services import sessions
from services.cancel_waiting import cancel_waiting
from services.delete_device import Belongings
from services.device_views import DeviceView
from services.move_waiting import move_waiting


def draw(device: DeviceView) -> None:
    """What waits here, and the way out."""
    st.subheader(_("Messages that wait here"))
    seen = reading.read(deleting.belongings, device.id)
    with reading.frame(seen, name="belongings") as known:
        if known:
            _draw_waiting(device, seen.value)
    st.subheader(_("Delete this phone"))
    st.write(_("Its people and its messages go with it. Totals of campaigns and the never-send list stay."))
    if device.provider != "cloud":
        st.write(_("It is logged out of WhatsApp."))
    if st.button(_("Delete this phone…"), icon=":material/delete:", key=f"delete {device.id}"):
        _confirm_delete(device)


def _draw_waiting(device: DeviceView, there: Belongings) -> None:
    if not there.queued:
        st.write(_("Nothing waits here."))
        return
    count = shown.number(there.queued)
    st.write(
        _n(
            "{count} message waits here. Move it when this phone will be away for long.",
            "{count} messages wait here. Move them when this phone will be away for long.",
            there.queued,
            count=count,
        )
    )
    with st.container(horizontal=True, gap="small"):
        _draw_move(device, place="page")
        if st.button(_("Cancel them…"), icon=":material/cancel_schedule_send:", key=f"cancel waiting {device.id}"):
            _confirm_cancel(device, there)


def _draw_move(device: DeviceView, *, place: str) -> None:
    if not st.button(_("Move to other phones"), icon=":material/move_down:", key=f"move {device.id} {place}"):
        return
    moved = writing.once(f"move waiting {device.id}", partial(_move, device_id=device.id))
    if moved is not None:
        writing.tell(
            _n("{count} message moved.", "{count} messages moved.", moved["moved"], count=shown.number(moved["moved"]))
        )
        if moved["left"]:
            writing.tell(
                _n(
                    "{count} message stays: it may have been sent already, or nobody else can send it.",
                    "{count} messages stay: they may have been sent already, or nobody else can send them.",
                    moved["left"],
                    count=shown.number(moved["left"]),
                )
            )
        st.rerun()


def _confirm_cancel(device: DeviceView, there: Belongings) -> None:
    @st.dialog(_("Cancel what waits here?"))
    def dialog() -> None:
        st.write(
            _n(
                "{count} person is not written to. This cannot be undone.",
                "{count} people are not written to. This cannot be undone.",
                there.queued,
                count=shown.number(there.queued),
            )
        )
        if st.button(_("Cancel the messages"), type="primary", key=f"confirm cancel {device.id}"):
            done = writing.once(f"cancel waiting {device.id}", partial(_cancel, device_id=device.id))
            if done is not None:
                count = done["cancelled"]
                writing.tell(
                    _n("{count} message cancelled.", "{count} messages cancelled.", count, count=shown.number(count))
                )
                st.rerun()

    dialog()


def _confirm_delete(device: DeviceView) -> None:
    @st.dialog(_("Delete {name}?", name=shown.plain(device.name)))
    def dialog() -> None:
        seen = reading.read(deleting.belongings, device.id)
        with reading.frame(seen, name="to-delete") as known:
            if not known:
                return
            there = seen.value
            if there.queued or there.in_flight:
                _draw_busy(there)
                return
            st.write(_goes(there))
            typed = st.text_input(_("Type its name to confirm: {name}", name=shown.plain(device.name)))
            if st.button(
                _("Delete"),
                type="primary",
                icon=":material/delete:",
                disabled=typed.strip() != device.name,
                key=f"confirm delete {device.id}",
            ):
                _do_delete(device)

    dialog()


def _do_delete(device: DeviceView) -> None:
    # Nothing is shown before the bridge was asked: a page that was left meanwhile ends this run where it shows something.
    done = writing.once(f"delete phone {device.id}", partial(_delete, device_id=device.id))
    if done is None:
        return
    still_linked = done["session"] and sessions.unlink(world().bridges, *done["session"])
    writing.tell(_("Deleted."))
    if still_linked:
        writing.tell(
            _(
                "WhatsApp could not be told that {name} is gone: unlink it on the phone, under “Linked devices”.",
                name=shown.plain(device.name),
            ),
            stays=True,
        )
    links.go("devices")


def _draw_busy(there: Belongings) -> None:
    if there.queued:
        st.warning(
            _n(
                "{count} message still waits here. Close this, and move or cancel it first.",
                "{count} messages still wait here. Close this, and move or cancel them first.",
                there.queued,
                count=shown.number(there.queued),
            ),
            icon=":material/schedule:",
        )
    else:
        st.warning(_("It is sending right now. Try again in a moment."), icon=":material/send:")


def _goes(there: Belongings) -> str:
    people = _n("{count} person", "{count} people", there.leads, count=shown.number(there.leads))
    messages = _n("{count} message", "{count} messages", there.messages, count=shown.number(there.messages))
    return _("With it go {people} and {messages}. This cannot be undone.", people=people, messages=messages)


def _move(db: Connection, workspace_id: int, *, device_id: int) -> dict[str, Any]:
    return asdict(move_waiting(db, workspace_id, device_id, who=writing.who()))


def _cancel(db: Connection, workspace_id: int, *, device_id: int) -> dict[str, Any]:
    return {"cancelled": cancel_waiting(db, workspace_id, device_id, who=writing.who())}


def _delete(db: Connection, workspace_id: int, *, device_id: int) -> dict[str, Any]:
    return asdict(deleting.delete_device(db, workspace_id, device_id, confirmed=True, who=writing.who()))
