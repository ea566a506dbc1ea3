"""A campaign under which the sidecar is killed: in small a test, and whole a benchmark."""

from __future__ import annotations

from dataclasses import dataclass

from fleet import Fleet
from linked_fleet import add_linked_phones, bridge_of
from partner import FakeWhatsApp, digits
from people import launch_to, phones
from waiting import until

FIRST_PERSON = 700_000  # no other test writes to these


@dataclass(frozen=True)
class Kills:
    """What came of a campaign. By the fake: who got it more than once (``doubled``), and who got nothing though no row says
    that it is in doubt (``lost``). ``doubted``: sends that were in doubt at some time."""

    people: int
    status: str
    counts: dict[str, int]
    lost: list[str]
    doubled: list[str]
    doubted: int
    took_s: float


def kill_under_campaign(
    fleet: Fleet, fake: FakeWhatsApp, *, people: int, sessions: int, kills: int, gap_s: float, within_s: float
) -> Kills:
    """Launch a campaign and kill the sidecar so many times while it is sent; of the fleet nothing runs yet."""
    sidecar = bridge_of(fleet, fake)
    try:
        devices = add_linked_phones(fleet, sidecar, sessions, gap_s=gap_s)
        fleet.start("api", "worker", "dispatcher")
        everybody = phones(people, FIRST_PERSON)
        with fleet.engine.begin() as db:
            campaign_id = launch_to(db, everybody, device_ids=devices).campaign_id
        for kill in range(1, kills + 1):
            share = people * kill // (kills + 2)
            until(lambda share=share: _tried(fleet) >= share, f"{share} were tried", within_s)  # type: ignore[misc]
            sidecar.kill()
            sidecar.start()
        fleet.ended(campaign_id, within_s)
        until(lambda: not _unsettled(fleet, fake), "what people got is settled by receipts", within_s)
        times = fake.times_received()
        in_doubt = {phone for (phone,) in fleet.rows("SELECT phone FROM messages WHERE status = 'unknown'")}
        return Kills(
            people=people,
            status=str(fleet.one("SELECT status FROM campaigns WHERE id = :id", id=campaign_id)),
            counts=fleet.counts(campaign_id),
            lost=[person for person in everybody if not times.get(digits(person)) and person not in in_doubt],
            doubled=[person for person in everybody if times.get(digits(person), 0) > 1],
            doubted=int(fleet.one("SELECT count(DISTINCT message_id) FROM attempts WHERE outcome = 'unknown'")),
            took_s=float(
                fleet.one(
                    "SELECT extract(epoch FROM finished_at - started_at) FROM campaigns WHERE id = :id", id=campaign_id
                )
            ),
        )
    finally:
        sidecar.end()


def _tried(fleet: Fleet) -> int:
    return int(fleet.one("SELECT count(*) FROM attempts"))


def _unsettled(fleet: Fleet, fake: FakeWhatsApp) -> list[str]:
    """People who got their message, which is not *read* yet."""
    times = fake.times_received()
    rows = fleet.rows("SELECT phone FROM messages WHERE status <> 'read'")
    return [phone for (phone,) in rows if times.get(digits(phone))]
