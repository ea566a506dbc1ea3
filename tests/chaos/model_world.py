"""The engine over the model of a bridge: what workers, upkeep and time do, each in a transaction of its own.

Workers and recoveries can stop between any two of their steps; what they hold then stands here, and they may go on much
later or never.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TypeVar

from model_bridge import HOUR_S, OPEN, Fate, ModelBridge
from model_pace import Pace
from model_promises import Promises
from model_rows import age, forget, take_turns, three_devices, wait_longer
from model_seen import REACHED, WAITING, Eyes
from people import workspace
from sqlalchemy import Connection, Engine, text

from bridge.protocol import BridgeAwayError, Closed, KeyState, NotSent, SendResult
from db.engine import run
from services import aggregate, deliver, distribute, hand_over, health, receipts, recover, schedule, trouble
from services.deliver import Begun
from services.receipts import Incoming
from services.recover import Doubt
from services.refused import Refused

# So long that nothing ends by itself while an example runs: all waits are over when a lease is, and not before.
LEASE_S = 600.0
MOMENT_S = 10.0
MAX_ATTEMPTS = 3
Result = TypeVar("Result")


class World:
    """``held``: begun and not handed to the bridge; ``sending``: the bridge is at it; ``told``: answered and not recorded;
    ``recorded``: those once more. ``looked``: doubts that a recovery is about, with the key's state when it has asked."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._rng = Random(1)
        self._passed_s = 0.0
        self._connection = engine.connect()
        self._eyes = Eyes(self._connection)
        self.workspace_id = self.run(workspace)
        self.devices = self.run(three_devices)
        self.bridge = ModelBridge(self.clock, {f"device{n}": OPEN for n in (1, 2, 3)})
        self.promises = Promises(self.bridge, self._eyes.look())
        self.held: dict[str, Begun] = {}
        self.sending: dict[str, Begun] = {}
        self.told: list[tuple[Begun, SendResult]] = []
        self.recorded: list[tuple[Begun, SendResult]] = []
        self.looked: list[tuple[Doubt, Closed | None, bool]] = []
        self.posted: list[Incoming] = []
        self._begun_at: dict[str, float] = {}
        self._lost_until = 0.0
        self._given_up: set[str] = set()
        self._pace = Pace()

    def run(self, work: Callable[[Connection], Result]) -> Result:
        return run(self._engine, work)

    def ask(self, work: Callable[[Connection], object]) -> None:
        """What an operator asks for, who may be refused."""
        with suppress(Refused):
            self.run(work)

    def clock(self) -> float:
        return time.time() + self._passed_s

    def check(self) -> None:
        self.promises.step(self._eyes.look())
        self._check_leases()

    def leave(self) -> None:
        """Nothing of this world is left in the database."""
        self._connection.execute(text("DEALLOCATE seen"))
        self._connection.close()
        self.run(forget)

    # Time

    def passes(self, *, hours: int = 0) -> None:
        """Leases end, waits are over; after an hour also those for caps."""
        self._pass(hours * HOUR_S or LEASE_S + 1)
        if hours:
            self._pace.an_hour_passed()

    def _pass(self, by_s: float) -> None:
        self.run(lambda db: age(db, by_s))
        self._passed_s += by_s
        earlier = timedelta(seconds=by_s)
        # An answer that waits is believed only of a ledger that is older than the attempt and the wait together.
        self._given_up |= {doubt.key for doubt, _, asked in self.looked if asked}
        self.looked = [
            (replace(doubt, begun_at=doubt.begun_at - earlier), found, asked) for doubt, found, asked in self.looked
        ]

    # Workers

    def begin(self, device_id: int, slot: int) -> str | None:
        """What a worker begins is what may begin, and only that; returns its key."""
        may = {m.id: m for m in self.promises.seen.sendable(device_id, slot)}
        self.run(take_turns)
        begun = self.run(
            lambda db: deliver.begin(db, device_id, slot, worker_id="a worker", lease_s=LEASE_S, rng=self._rng)
        )
        if begun is None:
            assert not may, f"nothing was begun on device {device_id}, slot {slot}, but these could: {may}"
            return None
        assert begun.message_id in may, f"{begun} was begun, but only these may: {may}"
        first = [m for m in may.values() if m.campaign_id is None]
        assert not first or begun.campaign_id is None, f"{begun} before {first}"
        self.run(lambda db: self._pace.began(db, begun, self.promises.seen.devices[begun.device_id]))
        self._begun_at[begun.key] = self.clock()
        self.held[begun.key] = begun
        return begun.key

    def send(self, key: str, fate: Fate) -> None:
        begun = self.held.pop(key)
        self._answered(begun, self.bridge.send(begun.outbound(), fate))
        if fate is Fate.FORGETS_ALL:
            self._forgotten()

    def go_on(self, key: str, *, lose_answer: bool) -> None:
        self._answered(self.sending.pop(key), self.bridge.go_on(key, lose_answer=lose_answer))

    def record(self, begun: Begun, result: SendResult) -> None:
        recorded = self.run(lambda db: deliver.record(db, begun, result, max_attempts=MAX_ATTEMPTS, rng=self._rng))
        self.run(wait_longer)
        self._pace.recorded(begun, result, recorded)
        self.recorded = [*self.recorded[-4:], (begun, result)]

    def record_again(self, begun: Begun, result: SendResult) -> None:
        """The answer to a COMMIT was lost: whatever has happened since, the same record once more changes nothing."""
        self.check()
        before = self.promises.seen.messages
        recorded = self.run(lambda db: deliver.record(db, begun, result, max_attempts=MAX_ATTEMPTS, rng=self._rng))
        assert not isinstance(result, NotSent) or recorded.status == "late", f"{begun} bears {result} twice"
        self.check()
        assert self.promises.seen.messages == before, f"{begun} was recorded twice, {result}"

    def send_next(self, device_id: int, slot: int, fate: Fate) -> None:
        """All that a worker does that nothing disturbs."""
        key = self.begin(device_id, slot)
        if key is not None:
            self.send(key, fate)
        if self.told:
            self.record(*self.told.pop())

    def any_slot_held(self) -> bool:
        return any(message.slot is not None for message in self.promises.seen.messages.values())

    # The bridge

    def heal(self) -> None:
        self.bridge.answers = True
        for session in self.bridge.sessions:
            self.bridge.sessions[session] = OPEN

    def forget_ledger(self) -> None:
        self.bridge.forget_all()
        self._forgotten()

    # Recovery

    def recovery_looks(self) -> None:
        self.looked += [(doubt, None, False) for doubt in self.run(lambda db: recover.overdue(db, LEASE_S))]

    def recovery_closes(self, index: int) -> None:
        """Ask the bridge; one that is away is left for the next round, unless it has been so for too long."""
        doubt, _, _ = self.looked.pop(index)
        try:
            self.looked.insert(index, (doubt, self.bridge.close(doubt.key), True))
        except BridgeAwayError as away:
            self._away(away)
            if doubt.given_up(away=True):
                self._given_up.add(doubt.key)
                self.looked.insert(index, (doubt, None, True))

    def recovery_settles(self, index: int) -> None:
        doubt, found, asked = self.looked[index]
        if not asked:
            self.recovery_closes(index)
            return
        del self.looked[index]
        self.run(lambda db: recover.settle(db, doubt, found, max_attempts=MAX_ATTEMPTS, rng=self._rng))

    def recover(self) -> None:
        """A whole round, as upkeep does it."""
        earlier, self.looked = self.looked, []
        self.run(recover.free_slots)
        self.recovery_looks()
        while self.looked:
            self.recovery_settles(0)
        self.looked = earlier
        self._hand_over()

    # Upkeep

    def look(self) -> None:
        """A look at the health of all sessions, when one is due."""
        for address in self.run(health.due):
            try:
                told = self.bridge.look()
            except BridgeAwayError as away:
                self._away(away)
                continue
            self.run(lambda db, address=address, told=told: health.record(db, address, told, interval_s=30))  # type: ignore[misc]
        self._hand_over()

    def fire(self) -> None:
        self.run(schedule.fire_due)
        for campaign_id, _ in self.run(schedule.accepted):
            self.distribute(campaign_id)

    def distribute(self, campaign_id: int) -> None:
        self.run(lambda db: distribute.distribute(db, campaign_id))

    def aggregate(self, campaign_id: int) -> None:
        """Its figures are those of its rows, and it ends when nothing of it waits."""
        counted = self.run(lambda db: aggregate.aggregate(db, campaign_id))
        self.check()
        counts = self.promises.seen.counts(campaign_id)
        assert Counter(counted.counts) == counts, f"{counted}, but there are {counts}"
        if counted.status in ("queued", "running", "paused"):
            assert any(counts[status] for status in WAITING), f"{counted} has nothing to wait for"

    # Events

    def post(self, key: str, status: str, *, by_key: bool) -> None:
        """A receipt comes, if it is true: WhatsApp may be late, repeat itself and mix the order up, but does not lie."""
        data = {
            "message_id": f"wa {key}",
            "key": key if by_key or status == "failed" else None,
            "status": status,
            "error": None,
        }
        if status == "failed":
            if not self._known_to_be_sent(key) and not self.bridge.fail(key):
                return
        elif key not in self.bridge.handed_over:
            return
        self.store([Incoming(f"event {len(self.posted)}", "device1", "receipt", datetime.now(UTC), data)])

    def store(self, events: list[Incoming]) -> None:
        self.posted += [event for event in events if event not in self.posted]
        self.run(lambda db: receipts.store(db, events))

    # Within

    def _check_leases(self) -> None:
        """Whoever is at it within his lease has his message, and its slot, to himself."""
        for key in (*self.held, *self.sending):
            if self._begun_at[key] + LEASE_S > self.clock():
                message = self.promises.seen.messages[int(key.partition(".")[0])]
                assert key == f"{message.id}.{message.attempt}", f"{key} is under way, and so is {message}"
                assert message.slot is not None, f"{key} is under way without a slot: {message}"

    def _answered(self, begun: Begun, result: SendResult | None) -> None:
        if result is None:
            self.sending[begun.key] = begun
        else:
            self.told.append((begun, result))

    def _forgotten(self) -> None:
        """The process that held the ledger died with it, and so did every call; of what was closed it knows nothing any
        more, so that nothing but their death can stop the workers who held these keys."""
        self._lost_until = self.clock()
        self._pass(MOMENT_S)  # what comes before and what after must not depend on how fast this machine is
        self.sending.clear()
        self.held = {key: begun for key, begun in self.held.items() if key not in self.bridge.ever_closed}

    def _outcomes(self) -> dict[str, str]:
        return {
            f"{message.id}.{number}": outcome
            for message in self.promises.seen.messages.values()
            for number, outcome in message.outcomes.items()
        }

    def _known_to_be_sent(self, key: str) -> bool:
        return self._outcomes().get(key) in REACHED

    def excused(self) -> set[str]:
        """Keys that may have gone out for all that anybody can know."""
        dispatching = {key for key, entry in self.bridge.keys.items() if entry.state is KeyState.DISPATCHING}
        return dispatching | self._given_up | {key for key, at in self._begun_at.items() if at < self._lost_until}

    def _away(self, away: BridgeAwayError) -> None:
        self.run(lambda db: trouble.bridge_away(db, "default", away.code, away.reason))

    def _hand_over(self) -> None:
        for campaign_id in self.run(hand_over.struck_campaigns):
            self.run(lambda db, id=campaign_id: hand_over.hand_over(db, campaign_id=id))  # type: ignore[misc]
