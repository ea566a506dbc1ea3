"""``send_next``: begin one message of a device, hand it over, record what came of it (design: the engine)."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import cast

import dramatiq
from sqlalchemy import Connection

import failpoints
from actors import queues, uploads
from actors.broker import Broker
from actors.due import RELEASED_MS
from actors.runtime import Runtime, runtime
from bridge.protocol import Accepted, InDoubt, NotSent, SendResult, Sent
from db.engine import run
from db.queries import query
from domain.phone import masked
from domain.template import MissingValuesError
from services import deliver
from services.deliver import Begun, Recorded

log = logging.getLogger("fanfare.actors")

NOT_READY = NotSent("worker_lost", "our worker failed before it was handed over", "refused", retryable=True)
# A worker that was held up for longer than its lease must not call any more: recovery has closed its key, but a bridge that
# has lost its ledger since would not know that.
HELD_UP = NotSent("worker_lost", "the worker was held up for too long", "refused", retryable=True)


@dramatiq.actor(queue_name=queues.SENDS, priority=queues.SENDS_PRIORITY)
def send_next(device_id: int, slot: int) -> None:
    """Send the next message of a device, if it is due. Any number of calls at once send no more than one."""
    world = runtime()
    started = time.monotonic()
    with world.mutex.hold(f"{device_id}:{slot}") as held:
        if not held:
            return
        failpoints.hit("before_begin", f"{device_id}:{slot}")
        begun, held_until = _begin(world, device_id, slot)
        recorded = None if begun is None else _send(world, begun, slot, held_until)
    if begun is None:
        _look_again(world, device_id, slot)
    elif _may_go_on(begun, elapsed_s := time.monotonic() - started):
        # Its token comes back by itself only when this is lost: two of one slot would multiply.
        world.due.again(device_id, slot, begun.begun_at + timedelta(seconds=elapsed_s, milliseconds=RELEASED_MS))
        send_next.send(device_id, slot)
    else:
        at = recorded.next_send_at if recorded and recorded.next_send_at else begun.again_at
        world.due.again(device_id, slot, at)


def _may_go_on(begun: Begun, elapsed_s: float) -> bool:
    """Whether its slot's next turn came while it was being sent, as at high rates, and nobody else waits for a worker: the
    dispatcher's next look would come late."""
    had_its_turn = begun.in_flight_limit > 1 and elapsed_s >= (begun.again_at - begun.begun_at).total_seconds()
    return had_its_turn and not cast(Broker, send_next.broker).waiting(queues.SENDS)


def _begin(world: Runtime, device_id: int, slot: int) -> tuple[Begun | None, float]:
    """What was begun, and until when it is ours by this process's monotonic clock: a little earlier than by the lease."""
    lease_s = world.settings.lease_s

    def begin(db: Connection) -> tuple[Begun | None, float]:
        held_until = time.monotonic() + lease_s
        begun = deliver.begin(db, device_id, slot, worker_id=world.worker_id, lease_s=lease_s, rng=world.rng)
        return begun, held_until

    return run(world.engine, begin)


def _send(world: Runtime, begun: Begun, slot: int, held_until: float) -> Recorded:
    started = time.monotonic()
    try:
        failpoints.hit("after_begin", begun.key)
        result = _call(world, begun, held_until)
        failpoints.hit("after_bridge_call", begun.key)
        recorded = run(
            world.engine,
            lambda db: deliver.record(db, begun, result, max_attempts=world.settings.max_attempts, rng=world.rng),
        )
        failpoints.hit("after_record", begun.key)
    except Exception:
        # An error of our own: recovery asks what the bridge knows, and need not wait for the lease. A database that is away
        # has had its patience, and the lease ends by itself.
        run(world.engine, lambda db: deliver.let_go(db, begun), patience_s=0.0)
        world.due.again(begun.device_id, slot, begun.again_at)
        raise
    _log(begun, result, recorded, time.monotonic() - started)
    return recorded


def _call(world: Runtime, begun: Begun, held_until: float) -> SendResult:
    try:
        header = uploads.header_of(world, begun)
        if isinstance(header, NotSent):
            return header
        outbound = begun.outbound(header)
    except MissingValuesError as error:
        return NotSent("missing_variable", str(error), "refused", retryable=False)
    except Exception:  # whatever it is: nothing was handed over, so nobody is in doubt
        log.exception("[WA_SEND] message=%s could not be made ready", begun.message_id)
        return NOT_READY
    if time.monotonic() >= held_until:
        return HELD_UP
    failpoints.hit("before_bridge_call", begun.key)
    return world.bridges.at(begun.bridge_address).send(outbound)


def _look_again(world: Runtime, device_id: int, slot: int) -> None:
    """Nothing was begun: the token goes to when something can be, or away."""
    token = {"device_id": device_id, "slot": slot}
    at = run(world.engine, lambda db: db.execute(query("next_due"), token).scalar_one_or_none())
    if at is None:
        world.due.forget(device_id, slot)
    else:
        world.due.again(device_id, slot, at)


def _log(begun: Begun, result: SendResult, recorded: Recorded, seconds: float) -> None:
    match result:
        case Sent():
            level, words = logging.INFO, "sent"
        case Accepted():
            level, words = logging.INFO, "accepted"
        case NotSent(code=code):
            level, words = logging.WARNING, f"not sent: {code}"
        case InDoubt(code="key_conflict"):
            level, words = logging.ERROR, "in doubt: one send key was used for two messages, which is our own error"
        case InDoubt(code=code):
            level, words = logging.WARNING, f"in doubt: {code}"
    shown = masked(begun.phone)
    log.log(
        level,
        "[WA_SEND] broadcast=%s message=%s attempt=%s device=%s %s → %s@s.whatsapp.net %s, now %s, %.0f ms",
        begun.campaign_id or "-",  # a single send is of none
        begun.message_id,
        begun.attempt,
        begun.device_id,
        shown,
        shown.lstrip("+"),
        words,
        recorded.status,
        seconds * 1000,
    )
