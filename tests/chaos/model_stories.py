"""Longer orders that chance alone seldom finds, each followed by whatever comes next."""

from __future__ import annotations

from model_bridge import Fate
from model_drain import an_hour
from model_world import World

from services import doubts, receipts


def worker_freezes(world: World, device_id: int, fate: Fate, *, lost: str, again: bool) -> None:
    """It wakes with its answer when its message was settled long ago, ``again``: and begun once more.

    ``lost``: what fails meanwhile, the *ledger*, the *bridge* or *nothing*."""
    an_hour_later(world)
    key = world.begin(device_id, 0)
    if key is None:
        return
    world.send(key, fate)
    if lost == "ledger":
        world.forget_ledger()
    world.bridge.answers = lost != "bridge"
    world.passes(hours=1)
    world.recover()
    aggregate_all(world)
    if again:
        an_hour_later(world)
        world.ask(lambda db: doubts.send_again(db, world.workspace_id, int(key.partition(".")[0]), who="dana"))
        world.passes(hours=1)
        world.check()
        world.begin(device_id, 0)
        world.check()
    for number, (begun, _) in enumerate(world.told):
        if begun.key == key:
            world.record(*world.told.pop(number))
            break


def hours_pass(world: World, hours: int, fates: list[Fate]) -> None:
    """Everything is mended, and goes on until it has come to an end."""
    for _ in range(hours):
        world.heal()
        an_hour(world, fates)
    aggregate_all(world)


def all_receipts(world: World, status: str) -> None:
    """A receipt comes for all that was handed over."""
    for key in world.bridge.handed_over:
        world.post(key, status, by_key=True)
    world.run(receipts.apply)


def an_hour_later(world: World) -> None:
    """What hinders a device is over, as far as it can be."""
    world.heal()
    world.passes(hours=1)
    world.look()
    world.check()


def aggregate_all(world: World) -> None:
    world.check()
    for campaign_id in world.promises.seen.campaigns:
        world.aggregate(campaign_id)
