"""What can be taken away as a CSV. A file is made when it is asked for, not when its button is drawn."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from sqlalchemy import Connection

from console import reading
from console.words import _
from console.world import world
from db.engine import run
from domain.people import rejected_csv
from services import campaign_views, recipients
from services.recipients import Filter

PATIENCE_S = 5.0


def people(label: str, campaign_id: int, wanted: Filter, *, key: str) -> None:
    """A button for everybody whom a filter shows."""

    def lines(db: Connection) -> str:
        here = reading.here(db)
        return "".join(recipients.as_csv(db, here.id, campaign_id, wanted, time_zone=here.time_zone))

    _button(label, lines, f"campaign-{campaign_id}.csv", key)


def rejected_rows(campaign_id: int, *, key: str) -> None:
    """A button for the rows of the upload that could not be used."""

    def lines(db: Connection) -> str:
        found = campaign_views.rejected(db, reading.here(db).id, campaign_id)
        return rejected_csv(*found) if found else ""

    _button(_("Download rejected rows"), lines, f"campaign-{campaign_id}-rejected.csv", key)


def _button(label: str, lines: Callable[[Connection], str], name: str, key: str) -> None:
    engine = world().engine  # the file is made outside of the page's run

    def made() -> bytes:
        # With the mark a spreadsheet knows that it is UTF-8.
        return run(engine, lines, patience_s=PATIENCE_S).encode("utf-8-sig")

    st.download_button(label, made, name, "text/csv", key=key, icon=":material/download:", on_click="ignore")
