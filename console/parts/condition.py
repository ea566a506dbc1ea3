"""What is wrong with a phone and what to do about it, in plain words: one entry for each code of domain/condition.py."""

from __future__ import annotations

from typing import Final, NamedTuple

import streamlit as st

from console import reading, shown
from console.parts.status import Look
from console.words import _, marked
from domain.condition import Condition
from services.device_views import DeviceView


class Told(NamedTuple):
    """``what`` happened and what to ``do``, marked for the catalogues."""

    what: str
    do: str


LOOKS: Final = {
    Condition.BRIDGE_AWAY: Look(marked("Not known"), ":material/cloud_off:", "gray"),
    Condition.WRONG_BRIDGE: Look(marked("Other bridge"), ":material/swap_horiz:", "gray"),
    Condition.BANNED: Look(marked("Banned"), ":material/block:", "red"),
    Condition.LOGGED_OUT: Look(marked("Logged out"), ":material/logout:", "red"),
    Condition.TOKEN_REFUSED: Look(marked("Token refused"), ":material/key_off:", "red"),
    Condition.NOT_REGISTERED: Look(marked("Not registered"), ":material/app_registration:", "red"),
    Condition.PAYMENT_MISSING: Look(marked("No payment method"), ":material/credit_card_off:", "red"),
    Condition.QR_REQUIRED: Look(marked("Not paired"), ":material/qr_code_2:", "red"),
    Condition.RESTRICTED: Look(marked("Restricted"), ":material/hourglass_disabled:", "orange"),
    Condition.NOT_CONNECTED: Look(marked("Not connected"), ":material/link_off:", "red"),
    Condition.STARTING: Look(marked("Connecting"), ":material/hourglass_top:", "blue"),
    Condition.AT_CAP: Look(marked("At its limit"), ":material/speed:", "orange"),
    Condition.READY: Look(marked("Ready"), ":material/check_circle:", "green"),
}

_TOLD: Final = {
    Condition.BRIDGE_AWAY: Told(
        marked("The bridge to WhatsApp does not answer, so nobody knows how this phone is."),
        marked("Its messages wait and go on by themselves when the bridge is back."),
    ),
    Condition.WRONG_BRIDGE: Told(
        marked("This phone is of another kind than the bridge that runs."),
        marked("Run the bridge of its kind, or use other phones."),
    ),
    Condition.BANNED: Told(
        marked("WhatsApp has banned this number."),
        marked("Move its messages to other phones, and use another number."),
    ),
    Condition.LOGGED_OUT: Told(
        marked("This phone was logged out of WhatsApp."),
        marked("Scan its QR code to connect it again."),
    ),
    Condition.TOKEN_REFUSED: Told(
        marked("Meta does not take this number's access token (any more)."),
        marked("Give it a new token: its messages wait, and go on by themselves."),
    ),
    Condition.NOT_REGISTERED: Told(
        marked("This number is not registered at Meta, or its business account does not have it."),
        marked("Register it in Meta's WhatsApp Manager."),
    ),
    Condition.PAYMENT_MISSING: Told(
        marked("Meta has no valid payment method for this number's account."),
        marked("See to the payment in Meta's Business Manager."),
    ),
    Condition.QR_REQUIRED: Told(
        marked("This phone is not paired with WhatsApp yet, or not any more."),
        marked("Scan its QR code with WhatsApp on the phone."),
    ),
    Condition.RESTRICTED: Told(
        marked("WhatsApp has restricted this number for a time."),
        marked("Wait: it goes on by itself. Longer pauses between messages help to keep it from happening again."),
    ),
    Condition.NOT_CONNECTED: Told(
        marked("This phone has no connection to WhatsApp."),
        marked("Look whether it is switched on and online, then start it."),
    ),
    Condition.STARTING: Told(
        marked("This phone is connecting to WhatsApp."),
        marked("Nothing to do: it takes a few seconds."),
    ),
    Condition.AT_CAP: Told(
        marked("This phone has sent as much as its limit allows."),
        marked("It goes on by itself when the hour or the day is over. Raise its limit to go on now."),
    ),
    Condition.READY: Told(marked("This phone can send."), marked("Nothing to do.")),
}

_OFFICIAL_NOT_CONNECTED: Final = Told(
    marked("Meta does not let this number send at present."),
    marked("Look in Meta's WhatsApp Manager what it lacks."),
)


def words(condition: Condition) -> str:
    """In a word or two, for a table."""
    return _(LOOKS[condition].words)


def badge(condition: Condition) -> None:
    """The same with its icon and colour."""
    look = LOOKS[condition]
    st.badge(_(look.words), icon=look.icon, color=look.color)


def told(device: DeviceView) -> str:
    """What is wrong and what to do, in sentences."""
    entry = _TOLD[device.condition]
    if device.condition is Condition.RESTRICTED and device.restricted_until is not None:
        until = shown.moment(device.restricted_until, reading.zone())
        return f"{_('WhatsApp has restricted this number until {time}.', time=until)} {_(entry.do)}"
    if device.condition is Condition.NOT_CONNECTED and device.provider == "cloud":
        entry = _OFFICIAL_NOT_CONNECTED
    return f"{_(entry.what)} {_(entry.do)}"
