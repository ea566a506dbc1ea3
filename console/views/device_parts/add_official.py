"""The form that adds a number of Meta's Cloud API: asked about at Meta first, and there is nothing to scan."""

from __future__ import annotations

from functools import partial
from typing import Final

import streamlit as st

from bridge.cloud.accounts import Account
from console import links, writing
from console.views.device_parts import webhook
from console.words import _
from console.world import world
from services import cloud_numbers, device_views
from services.cloud_numbers import NewNumber
from services.refused import Refused
from services.repeats import Answer
from services.sessions import Run

PROVIDER: Final = "cloud"
TROUBLE: Final = "trouble of {}"  # in the session, by device: what could not be set up when it was added
_AN_ID: Final = "106540352242922"


def draw() -> None:
    """The form. What Meta refuses is said below it."""
    st.caption(_("You find these in Meta's App Dashboard, at WhatsApp, API Setup."))
    with st.form("add official number", border=False):
        name = st.text_input(_("Name"), placeholder=_("Sales 1"), max_chars=100)
        number_id = st.text_input(_("Phone number ID"), placeholder=_AN_ID, max_chars=32)
        business_id = st.text_input(_("WhatsApp Business Account ID"), placeholder=_AN_ID, max_chars=32)
        token = st.text_input(
            _("Access token"),
            type="password",
            autocomplete="off",
            help=_("Of a system user, so that it does not expire. It is kept encrypted and never shown again."),
        )
        asked = st.form_submit_button(_("Ask Meta and add it"), type="primary")
    if asked and not name.strip():
        st.error(_("A phone needs a name."))
    elif asked:
        _add(NewNumber(name.strip(), Account(number_id.strip(), business_id.strip(), token.strip())))
    webhook.draw()


def _add(new: NewNumber) -> None:
    with st.spinner(_("Asking Meta…")):
        added = writing.at_bridge(partial(_insert, new=new))
    if added is None:
        return
    st.session_state[TROUBLE.format(added["id"])] = added["trouble"]
    links.go("devices", device=added["id"])


def _insert(run: Run, *, new: NewNumber) -> Answer:
    try:
        added = cloud_numbers.add(run, world().cloud, new, who=writing.who())
    except Refused as refused:
        if refused.code != "SESSION_TAKEN":
            raise
        return {"id": _the_same(run, new), "trouble": None}
    return {"id": added.device_id, "trouble": added.trouble}


def _the_same(run: Run, new: NewNumber) -> int:
    """The number that is there already: the second half of a double click comes when the first has added it."""
    taken = next(
        one for one in run(device_views.every) if (one.provider, one.session) == (PROVIDER, new.account.phone_number_id)
    )
    if taken.name != new.name:
        raise Refused("NUMBER_TAKEN", "This number is here already: it is called {phone}.", phone=taken.name)
    return taken.id
