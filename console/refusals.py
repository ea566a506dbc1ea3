"""Why the product said no, in the reader's words: by the refusal's code, or as the service put it."""

from __future__ import annotations

from typing import Final

from console.words import _
from services.refused import Refused


def _marked(text: str) -> str:
    """Marks a text for the catalogues where it cannot be asked for yet."""
    return text


# Only those whose text says the same for every refusal of the code; what differs is said by the service.
_BY_CODE: Final = {
    "WHATSAPP_NOT_CONNECTED": _marked("No phone can send: connect one and launch again."),
    "BRIDGE_AWAY": _marked("The bridge to WhatsApp does not answer. Nothing was changed; try again in a moment."),
    "SENDING": _marked("This phone is sending right now. Try again in a moment."),
    "NO_SESSION": _marked("This phone was never started: start it first."),
    "NO_QR": _marked("There is no QR code to scan right now."),
    "DEVICE_BUSY": _marked("This phone still has messages to send: move them to other phones or cancel them first."),
    "SESSION_TAKEN": _marked("Another phone has this session name already: choose another."),
    "PROVIDER_NOT_SERVED": _marked("Phones of this kind cannot be added yet."),
    "SUPPRESSED": _marked("This person is on the never-send list."),
}


def in_words(refused: Refused) -> str:
    """The sentence to show."""
    return _(_BY_CODE[refused.code]) if refused.code in _BY_CODE else _(refused.message)
