"""The end of an example: everything works again, and so everything comes to an end."""

from __future__ import annotations

from model_bridge import Fate
from model_seen import WAITING
from model_world import World

from services import control, receipts, recover

ROUNDS = 40


def drain(world: World) -> None:
    """Every worker that was stopped is dead, nothing fails any more, and a receipt comes for all that was handed over."""
    world.held.clear()
    world.sending.clear()
    world.told.clear()
    world.bridge.calls.clear()
    world.heal()
    world.run(lambda db: control.go(db, world.workspace_id, who="dana"))
    for _ in range(ROUNDS):
        if not _waits(world):
            break
        _resume(world)
        an_hour(world, [Fate.SENT])
    world.run(recover.free_slots)
    for key in list(world.bridge.handed_over):
        world.post(key, "delivered", by_key=True)
    while world.run(receipts.apply):
        pass
    world.check()
    for campaign_id in world.promises.seen.campaigns:
        world.aggregate(campaign_id)
    world.promises.drained(world.excused())


def an_hour(world: World, fates: list[Fate]) -> None:
    """Every process does what it does in an hour; the sends end by these fates in turn."""
    world.passes(hours=1)
    world.look()
    world.fire()
    world.recover()
    world.check()
    waiting = {m.device_id for m in world.promises.seen.messages.values() if m.status == "queued"}
    number = 0
    for device_id in sorted(id for id in waiting if id is not None):
        for _ in range(4):
            world.check()
            world.send_next(device_id, 0, fates[number % len(fates)])
            number += 1


def _waits(world: World) -> bool:
    world.check()
    seen = world.promises.seen
    return any(m.status in WAITING or m.slot is not None for m in seen.messages.values()) or any(
        campaign.status in ("scheduled", "accepted") for campaign in seen.campaigns.values()
    )


def _resume(world: World) -> None:
    for campaign in world.promises.seen.campaigns.values():
        if campaign.status == "paused":
            world.ask(lambda db, id=campaign.id: control.resume(db, id, who="dana"))  # type: ignore[misc]
