"""How an official number stands with Meta: its quality, and to how many people it may write."""

from __future__ import annotations

import re
from typing import Final

from console import shown
from console.parts.figures import Figure
from console.words import _, marked
from services.device_views import DeviceView

_QUALITY: Final = {"GREEN": marked("High"), "YELLOW": marked("Medium"), "RED": marked("Low")}
_TIER: Final = re.compile(r"TIER_(\d+)(K?)")
_UNLIMITED: Final = "TIER_UNLIMITED"
UNKNOWN: Final = "–"


def figures(device: DeviceView) -> list[Figure]:
    """Both as figures; what Meta has not told yet is a dash."""
    return [Figure(_("Quality"), quality(device.quality)), Figure(_("New people a day"), limit(device.messaging_limit))]


def in_words(device: DeviceView) -> list[str]:
    """Both in a line, as far as they are known; nothing of a phone that has neither."""
    words: list[str] = []
    if quality(device.quality) != UNKNOWN:
        words.append(_("quality: {quality}", quality=quality(device.quality)))
    if limit(device.messaging_limit) != UNKNOWN:
        words.append(_("new people a day: {limit}", limit=limit(device.messaging_limit)))
    return words


def quality(told: str | None) -> str:
    """Meta's GREEN, YELLOW and RED, by the words that its pages have for them."""
    return _(_QUALITY[told]) if told in _QUALITY else UNKNOWN


def limit(told: str | None) -> str:
    """To how many people it may write first, in 24 hours: of ``TIER_1K`` 1,000."""
    if told == _UNLIMITED:
        return _("No limit")
    found = _TIER.fullmatch(told or "")
    return shown.number(int(found[1]) * (1000 if found[2] else 1)) if found else UNKNOWN
