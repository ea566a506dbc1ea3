"""The whole product over the sidecar: a fleet whose bridge is the sidecar, and phones of ours that are linked to it."""

from __future__ import annotations

from fleet import SECRETS, Fleet
from partner import FakeWhatsApp, Sidecar
from people import add_devices
from sqlalchemy import text


def bridge_of(fleet: Fleet, fake: FakeWhatsApp, **settings: str) -> Sidecar:
    """A sidecar where the fleet looks for its bridge. It keeps its address through every restart."""
    return Sidecar(
        fleet.folder,
        fleet.settings["DATABASE_URL"],
        fake,
        PORT=fleet.bridge_url.rpartition(":")[2],
        BRIDGE_SECRET=SECRETS["BRIDGE_SECRET"],
        EVENTS_SECRET=SECRETS["EVENTS_SECRET"],
        EVENTS_URL=fleet.settings["EVENTS_URL"],
        **settings,
    )


def add_linked_phones(fleet: Fleet, sidecar: Sidecar, count: int, *, gap_s: float) -> list[int]:
    """Devices whose sessions can send; their ids."""
    sidecar.bridge.make_ready([f"phone{number}" for number in range(1, count + 1)])
    with fleet.engine.begin() as db:
        devices = add_devices(db, count, gap_s=gap_s, name="phone")
        # Their health is looked at as ever: the sidecar dies, and comes back.
        db.execute(text("UPDATE devices SET provider = 'baileys', next_check_at = clock_timestamp()"))
    return devices


def everybody_once(fake: FakeWhatsApp, people: list[str]) -> None:
    """Each of these people could read exactly one message."""
    times = fake.times_received()
    got = {person: times.get(person.removeprefix("+"), 0) for person in people}
    lost = sorted(person for person, count in got.items() if count == 0)
    doubled = sorted(person for person, count in got.items() if count > 1)
    assert (lost, doubled) == ([], [])
