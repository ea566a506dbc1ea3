"""What goes by the clock: recovery, health, events, expiry, cleaning up. The dispatcher queues these."""

from __future__ import annotations

import logging
from functools import partial

import dramatiq

import failpoints
from actors import once, queues
from actors.runtime import Runtime, runtime
from bridge.protocol import BridgeAwayError, BridgeRefusedError, Closed
from db.engine import run
from services import clean_up as cleaning
from services import expire, hand_over, health, receipts, recover, refused_later, suppress, trouble
from services.recover import Doubt

log = logging.getLogger("fanfare.actors")

HEALTH_TIMEOUT_S = 10.0


@dramatiq.actor(queue_name=queues.UPKEEP, priority=queues.UPKEEP_PRIORITY)
def recover_messages() -> None:
    """Settle every message whose lease is over by what its bridge knows."""
    world = runtime()
    with once.running(world.redis, "recover_messages") as still_there:
        run(world.engine, recover.free_slots)
        run(world.engine, recover.end_unconfirmed)
        away: set[str] = set()
        for doubt in run(world.engine, partial(recover.overdue, lease_s=world.settings.lease_s)):
            _settle(world, doubt, away)
            still_there()
        _settle_refused(world)  # what was told before the send was recorded
        _hand_over(world)


def _settle(world: Runtime, doubt: Doubt, away: set[str]) -> None:
    found = _closed(world, doubt, away) if doubt.served and doubt.bridge_address not in away else None
    if found is None and not doubt.given_up(away=doubt.bridge_address in away or not doubt.served):
        return
    failpoints.hit("after_close", doubt.key)
    status = run(
        world.engine,
        lambda db: recover.settle(db, doubt, found, max_attempts=world.settings.max_attempts, rng=world.rng),
    )
    if status is not None:
        known = found.state if found else "nothing"
        log.info(
            "[WA_SEND] broadcast=%s key=%s recovered: the bridge knew %s, now %s",
            doubt.campaign_id,
            doubt.key,
            known,
            status,
        )


def _closed(world: Runtime, doubt: Doubt, away: set[str]) -> Closed | None:
    """What the bridge knows of a key, now closed; None when it cannot tell. One that is away joins ``away``: it is asked
    once a round, because each question to it may take as long as its time-out."""
    try:
        return world.bridges.at(doubt.bridge_address).close(doubt.session, doubt.key)
    except BridgeAwayError as error:
        unreachable = error
        run(
            world.engine, lambda db: trouble.bridge_away(db, doubt.bridge_address, unreachable.code, unreachable.reason)
        )
        away.add(doubt.bridge_address)
    except BridgeRefusedError as error:
        log.warning(
            "[WA_SEND] broadcast=%s key=%s the bridge cannot look it up: %s", doubt.campaign_id, doubt.key, error.code
        )
    return None


@dramatiq.actor(queue_name=queues.UPKEEP, priority=queues.UPKEEP_PRIORITY)
def check_health() -> None:
    """Look at the bridges that are due, one call each, and act on what their devices' health means."""
    world = runtime()
    with once.running(world.redis, "check_health"):
        for address in run(world.engine, health.due):
            if world.bridges.reaches(address) and run(world.engine, partial(health.take, address=address)):
                _look(world, address)
        _hand_over(world)


def _look(world: Runtime, address: str) -> None:
    try:
        roster = world.bridges.at(address).sessions(HEALTH_TIMEOUT_S)
    except (BridgeAwayError, BridgeRefusedError) as error:
        away = error if isinstance(error, BridgeAwayError) else BridgeAwayError("bridge_unreachable", error.reason)
        run(world.engine, lambda db: health.away(db, address, away))
        log.warning("[BRIDGE] %s is away: %s", address, away.reason)
        return
    interval_s = world.settings.health_interval_s
    look = run(world.engine, lambda db: health.record(db, address, roster, interval_s=interval_s))
    for session in look.to_start:
        _start(world, address, session)
    for device_id in look.came_back:
        log.info("[BRIDGE] device=%s can send", device_id)
    for device_id in look.in_trouble:
        log.warning("[BRIDGE] device=%s cannot send", device_id)
    for campaign_id in look.resumed:
        log.info("[WA_BROADCAST] broadcast=%s goes on: a device can send again", campaign_id)


def _start(world: Runtime, address: str, session: str) -> None:
    """A session that its bridge does not know, for instance because the bridge is new, is started there."""
    try:
        world.bridges.at(address).command(session, "start")
    except (BridgeAwayError, BridgeRefusedError) as error:
        log.warning("[BRIDGE] session %s could not be started: %s", session, error.code)


def _hand_over(world: Runtime) -> None:
    for campaign_id in run(world.engine, hand_over.struck_campaigns):
        for done in run(world.engine, partial(hand_over.hand_over, campaign_id=campaign_id)):
            log.warning(
                "[WA_BROADCAST] broadcast=%s device=%s is out, %s messages to others%s",
                done.campaign_id,
                done.device_id,
                done.moved,
                "; paused: no device is left" if done.paused else "",
            )


@dramatiq.actor(queue_name=queues.EVENTS, priority=queues.EVENTS_PRIORITY)
def apply_events() -> None:
    """Apply stored events until none waits."""
    world = runtime()
    with once.running(world.redis, "apply_events"):
        while taken := run(world.engine, receipts.apply):
            log.debug("[EVENTS] %s applied", taken)
            _settle_refused(world)


def _settle_refused(world: Runtime) -> None:
    for refused in run(world.engine, refused_later.waiting):
        settle = partial(refused_later.settle, refused=refused, max_attempts=world.settings.max_attempts, rng=world.rng)
        status = run(world.engine, settle)
        tried = refused.tried
        log.warning(
            "[WA_SEND] broadcast=%s message=%s attempt=%s device=%s not sent after all: %s, now %s",
            refused.campaign_id or "-",
            tried.message_id,
            tried.attempt,
            tried.device_id,
            refused.code,
            status or "settled",
        )


@dramatiq.actor(queue_name=queues.UPKEEP, priority=queues.UPKEEP_PRIORITY)
def expire_messages() -> None:
    """End the messages that are over their window, or wait for somebody who is never sent to."""
    world = runtime()
    with once.running(world.redis, "expire_messages"):
        run(world.engine, suppress.end_missed)
        ended = run(world.engine, lambda db: expire.expire(db, window_s=world.settings.message_window_s))
        for campaign_id, count in ended.items():
            log.warning("[WA_BROADCAST] broadcast=%s expired=%s", campaign_id, count)


@dramatiq.actor(queue_name=queues.UPKEEP, priority=queues.UPKEEP_PRIORITY)
def clean_up() -> None:
    """Forget what is kept for a time only."""
    world = runtime()
    with once.running(world.redis, "clean_up"):
        while run(world.engine, cleaning.clean_up):
            pass
