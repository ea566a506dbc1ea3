"""Why the product said no, in the reader's words: as the service put it, or better for people."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from typing import Final

from console import shown
from console.parts import status
from console.words import _, marked, reason
from services.refused import Refused

# By the code where one text says it for every refusal of the code, else by the service's text.
OWN: Final = {
    "WHATSAPP_NOT_CONNECTED": marked("No phone can send: connect one and try again."),
    "BRIDGE_AWAY": marked("The bridge to WhatsApp does not answer. Nothing was changed; try again in a moment."),
    "SENDING": marked("This phone is sending right now. Try again in a moment."),
    "NO_SESSION": marked("This phone was never started: start it first."),
    "NO_QR": marked("There is no QR code to scan right now."),
    "WRONG_BRIDGE": marked(
        "This phone is of another kind than the bridge that runs: nothing can be done with it here."
    ),
    "SESSION_TAKEN": marked("Another phone has this session name already: choose another."),
    "PROVIDER_NOT_SERVED": marked("Phones of this kind cannot be added yet."),
    "INVALID_PHONE": marked("This number cannot be used. {reason}."),
    "There is no broadcast {id}.": marked("There is no such campaign."),
    "There is no campaign {id}.": marked("There is no such campaign."),
    "There is no device {id}.": marked("There is no such phone (any more)."),
    "There is no message {id}.": marked("There is no such message (any more)."),
    "A campaign that is {status} cannot be paused.": marked("A campaign cannot be paused in this state: {status}."),
    "A campaign that is {status} cannot be resumed.": marked("A campaign cannot be resumed in this state: {status}."),
    "A campaign that is {status} has nobody to retry.": marked(
        "Nothing of a campaign can be sent again in this state: {status}."
    ),
    "A message that is {message_status} does not wait any more.": marked(
        "This message does not wait any more. Its state: {message_status}."
    ),
    "The message cannot be read: {error}.": marked("The message cannot be read: a brace is not as it should be."),
    "None of the {count} recipients can be sent to.{lacked}": marked(
        "Nobody would receive it: see at “People” which rows are left out, and at “Message” who lacks a value."
    ),
}
_CODES: Final = {"status": status.campaign_words, "message_status": status.message_words, "reason": reason}


def in_words(refused: Refused) -> str:
    """The sentence to show."""
    return told(OWN.get(refused.code) or OWN.get(refused.text) or refused.text, refused.values)


def told(text: str, values: Mapping[str, object]) -> str:
    """A text with those of ``values`` that it names, as people write them."""
    named = {name for _text, name, _form, _conversion in Formatter().parse(text) if name}
    return _(text, **{name: _as_written(name, values[name]) for name in named})


def _as_written(name: str, value: object) -> str:
    if name in _CODES:
        return _CODES[name](str(value))
    return shown.number(value) if isinstance(value, int | float) else shown.plain(str(value))
