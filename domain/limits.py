"""What a campaign may be, however it is made."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

LONGEST_TITLE: Final = 200
LONGEST_MESSAGE: Final = 65_536  # characters; WhatsApp's own limit for a text
LONGEST_DELAY_S: Final = 86_400
FURTHEST_AHEAD: Final = timedelta(days=366)
