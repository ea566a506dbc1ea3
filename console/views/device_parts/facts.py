"""A phone's facts as people read them: its number, today's sends, what waits, when it last sent."""

from __future__ import annotations

from datetime import UTC, datetime

from console import shown
from console.words import _, _n
from services.device_views import DeviceView


def number(device: DeviceView) -> str:
    """Its phone number, as far as it is known."""
    return shown.phone(device.phone) if device.phone else _("No number yet")


def today(device: DeviceView) -> str:
    """107 of 300, or 107 when it has no daily limit."""
    return (
        shown.number(device.sent_today)
        if device.daily_cap is None
        else shown.share(device.sent_today, device.daily_cap)
    )


def sent_today(device: DeviceView) -> str:
    """The same in a sentence."""
    return _("{share} sent today", share=today(device))


def waiting(device: DeviceView) -> str:
    """How many messages wait for it."""
    count = device.waiting_count
    if not count:
        return _("Nothing waits")
    return _n("{count} message waits", "{count} messages wait", count, count=shown.number(count))


def of_its_session(device: DeviceView) -> list[str]:
    """When it last sent, and how long it has been connected."""
    words = [_("has sent nothing yet")]
    if device.last_message_ts is not None:
        ago = shown.ago((datetime.now(UTC) - device.last_message_ts).total_seconds())
        words = [_("last message {ago}", ago=ago)]
    # An official number has no session: it is only looked at.
    if device.session_age is not None and device.provider != "cloud":
        words.append(_("connected for {time}", time=shown.lasting(device.session_age)))
    return words


def connected_for(device: DeviceView) -> str:
    """How long its session has been connected."""
    if device.session_age is None or device.provider == "cloud":
        return "–"
    return shown.lasting(device.session_age)
