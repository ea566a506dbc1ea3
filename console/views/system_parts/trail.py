"""Who did what, the latest first, 100 at a time."""

from __future__ import annotations

from typing import Final

import streamlit as st

from console import links, reading, shown
from console.words import _, marked
from services import system_views
from services.system_views import AUDIT_PAGE, AuditEntry

ACTIONS: Final = {
    "launch": marked("Launched a campaign"),
    "pause": marked("Paused a campaign"),
    "resume": marked("Resumed a campaign"),
    "cancel": marked("Cancelled a campaign or message"),
    "retry": marked("Had failed messages sent again"),
    "retry_unknown": marked("Had messages in doubt sent again"),
    "leave_unknown": marked("Left messages in doubt as they are"),
    "clone": marked("Copied a campaign"),
    "create_draft": marked("Began a draft"),
    "delete_draft": marked("Deleted a draft"),
    "upload": marked("Uploaded people"),
    "send_test": marked("Sent a test"),
    "stop_all": marked("Stopped all sending"),
    "go": marked("Started sending again"),
    "add_device": marked("Added a phone"),
    "change_device": marked("Changed a phone"),
    "delete_device": marked("Deleted a phone"),
    "start_session": marked("Started a phone"),
    "restart_session": marked("Restarted a phone"),
    "disconnect_session": marked("Disconnected a phone"),
    "logout_session": marked("Logged a phone out"),
    "pairing_code": marked("Asked for a pairing code"),
    "move_waiting": marked("Moved messages to other phones"),
    "cancel_waiting": marked("Cancelled what waited on a phone"),
}


def draw() -> None:
    """A page of the trail; ``?before=`` says which."""
    before = links.number("before")
    st.subheader(_("Who did what"))
    seen = reading.read(system_views.audit_trail, before=before)
    with reading.frame(seen, name="trail") as known:
        if not known:
            return
        entries = seen.value
        if entries:
            _draw_table(entries)
        else:
            st.write(_("Nothing has been done yet."))
        with st.container(horizontal=True, gap="small"):
            if before is not None:
                links.link(_("Latest"), "system", icon=":material/first_page:")
            if len(entries) == AUDIT_PAGE:
                links.link(_("Older"), "system", icon=":material/arrow_forward:", before=entries[-1].id)


def _draw_table(entries: list[AuditEntry]) -> None:
    zone = reading.zone()
    st.dataframe(
        {
            "at": [shown.moment(entry.at, zone, exact=True) for entry in entries],
            "who": [_who(entry.who) for entry in entries],
            "what": [_(ACTIONS[entry.action]) if entry.action in ACTIONS else entry.action for entry in entries],
            "on": [_on(entry) for entry in entries],
        },
        hide_index=True,
        column_config={"at": _("When"), "who": _("Who"), "what": _("What"), "on": _("To what")},
        key=f"trail {entries[0].id}",
    )


def _who(who: str) -> str:
    return {"api": _("API"), "console": _("Console")}.get(who) or who.removeprefix("console: ")


def _on(entry: AuditEntry) -> str:
    """The thing by its name; one that is gone, and a message, by kind and id."""
    name = entry.name or entry.details.get("name") or entry.details.get("title")
    if name:
        return str(name)
    kind, _separator, number = entry.subject.partition(":")
    told = {"device": _("Phone {id}"), "campaign": _("Campaign {id}"), "message": _("Message {id}")}.get(kind)
    return told.format(id=shown.isolated(number)) if told else ""
