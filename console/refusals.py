"""Why the product said no, in the reader's words: by the refusal's code, or as the service put it."""

from __future__ import annotations

from typing import Final

from console.words import _, marked
from services.refused import Refused

# Only those whose text says the same for every refusal of the code; what differs is said by the service.
_BY_CODE: Final = {
    "WHATSAPP_NOT_CONNECTED": marked("No phone can send: connect one and try again."),
    "BRIDGE_AWAY": marked("The bridge to WhatsApp does not answer. Nothing was changed; try again in a moment."),
    "SENDING": marked("This phone is sending right now. Try again in a moment."),
    "NO_SESSION": marked("This phone was never started: start it first."),
    "NO_QR": marked("There is no QR code to scan right now."),
    "DEVICE_BUSY": marked("This phone still has messages to send: move them to other phones or cancel them first."),
    "SESSION_TAKEN": marked("Another phone has this session name already: choose another."),
    "PROVIDER_NOT_SERVED": marked("Phones of this kind cannot be added yet."),
    "SUPPRESSED": marked("This person is on the never-send list."),
}


def in_words(refused: Refused) -> str:
    """The sentence to show."""
    return _(_BY_CODE[refused.code]) if refused.code in _BY_CODE else _(refused.message)
