"""What the tests of failure share: a fleet made ready, a campaign launched, and how far it is."""

from __future__ import annotations

from fleet import Fleet
from people import add_devices, launch_to


def ready(fleet: Fleet, devices: int, gap_s: float = 0.0) -> list[int]:
    """A simulator with sessions that can send, and their devices."""
    fleet.start("bridge")
    fleet.sessions_can_send(*(f"device{n}" for n in range(1, devices + 1)))
    with fleet.engine.begin() as db:
        return add_devices(db, devices, gap_s=gap_s)


def launched(fleet: Fleet, numbers: list[str]) -> int:
    """The id of a campaign to these people."""
    with fleet.engine.begin() as db:
        return launch_to(db, numbers).campaign_id


def sent(fleet: Fleet) -> int:
    return int(fleet.one("SELECT count(*) FROM messages WHERE status = 'sent'"))
