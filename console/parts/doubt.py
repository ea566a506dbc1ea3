"""The two choices about a message in doubt: nobody knows whether it arrived, so a person decides."""

from __future__ import annotations

import streamlit as st
from sqlalchemy import Connection

from console import writing
from console.words import _
from services import doubts


def choose(message_id: int, *, where: str, may_send: bool = True) -> None:
    """Both buttons. ``where`` is unique on the page; ``may_send`` is False when its campaign was cancelled."""
    again = may_send and st.button(
        _("Send again, may arrive twice"), icon=":material/replay:", key=f"again {message_id} {where}"
    )
    if again and writing.once(
        f"send again {message_id}", lambda db, here: _send_again(db, here, message_id), said=_("It goes out again.")
    ):
        st.rerun()
    leave = st.button(_("Leave it"), icon=":material/done:", key=f"leave {message_id} {where}")
    if leave and writing.once(
        f"leave {message_id}",
        lambda db, here: _leave(db, here, message_id),
        said=_("It stays as it is. A receipt that comes later still counts."),
    ):
        st.rerun()


def _send_again(db: Connection, workspace_id: int, message_id: int) -> dict[str, int]:
    doubts.send_again(db, workspace_id, message_id, who=writing.who())
    return {"queued": message_id}


def _leave(db: Connection, workspace_id: int, message_id: int) -> dict[str, int]:
    doubts.leave(db, workspace_id, message_id, who=writing.who())
    return {"left": message_id}
