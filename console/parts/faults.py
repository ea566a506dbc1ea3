"""What is wrong now and what to do about it, in words: one entry for each code of domain/faults.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import streamlit as st

from console import reading, shown
from console.words import _, marked
from domain.faults import Fault
from services.system_views import SystemView


class Told(NamedTuple):
    """``what`` is wrong and what to ``do``, marked for the catalogues. ``grave``: from some phones nothing goes out."""

    what: str
    do: str
    grave: bool


TOLD: Final = {
    Fault.NO_DISPATCHER: Told(
        marked("Nothing new is sent: no dispatcher is at work."), marked("Start the process “dispatcher”."), True
    ),
    Fault.NO_WORKER: Told(
        marked("Nothing is sent: no worker is at work."), marked("Start the process “worker”."), True
    ),
    Fault.STOPPED: Told(
        marked("All sending is stopped, because somebody stopped it."), marked("Start it again above."), False
    ),
    Fault.REDIS_AWAY: Told(
        marked("Redis does not answer, so no work reaches the workers."),
        marked("Nothing is lost: sending goes on by itself when it is back."),
        True,
    ),
    Fault.BRIDGE_AWAY: Told(
        marked("A bridge to WhatsApp does not answer, and its phones wait."),
        marked("Nothing is lost: they go on by themselves when it is back. See below which one."),
        True,
    ),
    Fault.MESSAGES_LATE: Told(
        marked("Messages that could be sent now are waiting too long."),
        marked("If nothing else is wrong, more workers are needed."),
        False,
    ),
    Fault.QUEUE_BACKLOG: Told(
        marked("More work is handed out than the workers take."), marked("Start more workers."), False
    ),
    Fault.EVENTS_LATE: Told(
        marked("Receipts wait to be applied, so “delivered” and “read” are behind."),
        marked("If no worker is at work, start one; otherwise look into the worker's log."),
        False,
    ),
    Fault.REDIS_FULL: Told(
        marked("Redis has used nine tenths of the memory that it may use."), marked("Give it more memory."), False
    ),
    Fault.VERSIONS_DIFFER: Told(
        marked("Processes of different releases are at work."), marked("Restart those of the older release."), False
    ),
}


def grave(faults: Sequence[Fault]) -> list[Fault]:
    """Those under which nothing goes out, from some phones at least."""
    return [fault for fault in faults if TOLD[fault].grave]


def draw(system: SystemView, faults: Sequence[Fault]) -> None:
    """These faults of the system, the gravest first."""
    for fault in faults:
        told = TOLD[fault]
        words = f"**{_(told.what)}** {_(told.do)}"
        if fault is Fault.REDIS_AWAY and system.queues and system.queues.away_since:
            since = _("Away since {time}.", time=shown.moment(system.queues.away_since, reading.zone()))
            words = f"{words} {since}"
        if told.grave:
            st.error(words, icon=":material/error:")
        else:
            st.warning(words, icon=":material/warning:")
