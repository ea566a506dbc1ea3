"""Anything that can happen to the engine, in any order, against the real schema: its promises hold after every step.

``MODEL_EXAMPLES`` is how many orders are tried. A failure prints the steps, and the blob that replays them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import model_stories
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from model_bridge import HOUR_S, Fate
from model_drain import drain
from model_seen import ENDED, Message
from model_world import World
from people import phones
from sqlalchemy import Connection, Engine, text

from domain.people import Person
from services import (
    cancel_waiting,
    control,
    delete_device,
    doubts,
    expire,
    move_waiting,
    receipts,
    single,
    suppress,
)
from services.launch import launch
from services.launch_request import Launch

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "200"))
STEPS = 40
PEOPLE = phones(4)
WINDOW_S = 900.0
ANSWERED = (Fate.SENT, Fate.REFUSED, Fate.THROTTLED)
RECEIPTS = ("sent", "delivered", "read", "failed")

which = st.integers(0, 11)  # one of those that there are
people = st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=3, unique=True)
devices = st.lists(st.integers(0, 2), min_size=1, max_size=3, unique=True)
fates = st.sampled_from(Fate)
sends = st.lists(st.tuples(which, st.integers(0, 1), fates), min_size=1, max_size=4)
OPERATIONS = ("pause", "resume", "cancel", "retry", "retry hopeless", "send all again", "leave all")
WHO = "dana"


def _any(*statuses: str) -> Callable[[Anything], bool]:
    """There is a message in one of these states: only then the rule can do anything."""
    return lambda machine: machine.message(0, *statuses) is not None


class Anything(RuleBasedStateMachine):
    """Rules refer to devices, campaigns, messages and workers by number, modulo how many there are."""

    engine: Engine

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.engine)
        self.run, self.ask = self.world.run, self.world.ask

    def teardown(self) -> None:
        try:
            if sys.exception() is None:
                drain(self.world)
        finally:
            self.world.leave()

    @invariant()
    def promises(self) -> None:
        self.world.check()

    def message(self, number: int, *statuses: str) -> Message | None:
        found = [m for m in self.world.promises.seen.messages.values() if m.status in statuses]
        return found[number % len(found)] if found else None

    def _device(self, number: int) -> int:
        return self.world.devices[number % len(self.world.devices)]

    def _campaign(self, number: int) -> int:
        ids = list(self.world.promises.seen.campaigns)
        return ids[number % len(ids)]

    # Launches

    @initialize(first=people, second=people, devices=devices, sends=sends)
    def start(
        self, first: list[str], second: list[str], devices: list[int], sends: list[tuple[int, int, Fate]]
    ) -> None:
        self.launch(first, devices, scheduled=False, delayed=False, again=True)
        self.launch(second, [0], scheduled=False, delayed=False, again=True)
        self.world.fire()
        self.world.check()
        self.world.begin(self._device(0), 0)  # by a worker that freezes
        self.world.check()
        self.send_next(sends)

    @precondition(lambda self: len(self.world.promises.seen.campaigns) < 4)
    @rule(people=people, devices=devices, scheduled=st.booleans(), delayed=st.booleans(), again=st.booleans())
    def launch(self, people: list[str], devices: list[int], scheduled: bool, delayed: bool, again: bool) -> None:
        request = Launch(
            self.world.workspace_id,
            "Hello",
            [Person(phone, "", {}, row, None) for row, phone in enumerate(people, start=1)],
            device_ids=sorted({self._device(number) for number in devices}),
            scheduled_at=datetime.now(UTC) + timedelta(seconds=HOUR_S - 60) if scheduled else None,
            min_delay_s=300.0 if delayed else None,
            max_delay_s=300.0 if delayed else None,
            allow_repeat=again,
        )
        self.ask(lambda db: launch(db, request))

    @precondition(lambda self: len(self.world.promises.seen.messages) < 12)
    @rule(phone=st.sampled_from(PEOPLE), device=which)
    def send_single(self, phone: str, device: int) -> None:
        device_id = self._device(device)
        self.ask(
            lambda db: single.send(
                db, self.world.workspace_id, device_id=device_id, number=phone, body="Hi", default_country="IL"
            )
        )

    @precondition(
        lambda self: any(c.status in ("scheduled", "accepted") for c in self.world.promises.seen.campaigns.values())
    )
    @rule()
    def fire_and_distribute(self) -> None:
        self.world.fire()

    # Workers

    @precondition(_any("queued"))
    @rule(sends=sends)
    def send_next(self, sends: list[tuple[int, int, Fate]]) -> None:
        for device, slot, fate in sends:
            self.world.send_next(self._device(device), slot, fate)
            self.world.check()

    @precondition(_any("queued"))
    @rule(device=which, slot=st.integers(0, 2))
    def begin(self, device: int, slot: int) -> None:
        self.world.begin(self._device(device), slot)

    @precondition(lambda self: self.world.held)
    @rule(number=which, fate=fates)
    def send(self, number: int, fate: Fate) -> None:
        keys = list(self.world.held)
        self.world.send(keys[number % len(keys)], fate)

    @precondition(lambda self: self.world.sending)
    @rule(number=which, lose_answer=st.booleans())
    def bridge_goes_on(self, number: int, lose_answer: bool) -> None:
        keys = list(self.world.sending)
        self.world.go_on(keys[number % len(keys)], lose_answer=lose_answer)

    @precondition(lambda self: self.world.told)
    @rule(number=which)
    def record(self, number: int) -> None:
        self.world.record(*self.world.told.pop(number % len(self.world.told)))

    @precondition(lambda self: self.world.recorded)
    @rule(number=which)
    def record_again(self, number: int) -> None:
        self.world.record_again(*self.world.recorded[number % len(self.world.recorded)])

    @precondition(lambda self: self.world.held or self.world.told)
    @rule(number=which)
    def crash(self, number: int) -> None:
        if self.world.told:
            del self.world.told[number % len(self.world.told)]
        else:
            del self.world.held[list(self.world.held)[number % len(self.world.held)]]

    @precondition(_any("queued"))
    @rule(
        device=which,
        fate=st.sampled_from(ANSWERED),
        lost=st.sampled_from(["ledger", "bridge", "nothing"]),
        again=st.booleans(),
    )
    def worker_freezes(self, device: int, fate: Fate, lost: str, again: bool) -> None:
        model_stories.worker_freezes(self.world, self._device(device), fate, lost=lost, again=again)

    @rule(hours=st.integers(1, 2), fates=st.lists(fates, min_size=1, max_size=3))
    def hours_pass(self, hours: int, fates: list[Fate]) -> None:
        model_stories.hours_pass(self.world, hours, fates)

    # Events

    @precondition(lambda self: self.world.bridge.handed_over)
    @rule(status=st.sampled_from(RECEIPTS[:3]))
    def all_receipts(self, status: str) -> None:
        model_stories.all_receipts(self.world, status)

    @precondition(_any("processing", *ENDED))
    @rule(
        number=which,
        attempt=st.integers(1, 3),
        status=st.sampled_from(RECEIPTS),
        by_key=st.booleans(),
        at_once=st.booleans(),
    )
    def receipt(self, number: int, attempt: int, status: str, by_key: bool, at_once: bool) -> None:
        message = self.message(number, "processing", *ENDED)
        if message is not None and message.attempt:
            self.world.post(f"{message.id}.{(attempt - 1) % message.attempt + 1}", status, by_key=by_key)
        if at_once:
            self.apply(500)

    @precondition(lambda self: self.world.posted)
    @rule(limit=st.sampled_from([1, 2, 500]))
    def apply(self, limit: int) -> None:
        self.run(lambda db: receipts.apply(db, limit))

    @precondition(lambda self: self.world.posted)
    @rule()
    def replay(self) -> None:
        self.world.store(self.world.posted[::-1])

    # Operators

    @precondition(lambda self: self.world.promises.seen.campaigns)
    @rule(number=which, verb=st.sampled_from(OPERATIONS))
    def operate(self, number: int, verb: str) -> None:
        campaign_id = self._campaign(number)
        self.ask(lambda db: _operate(db, campaign_id, verb))

    @precondition(_any("unknown"))
    @rule(number=which, verb=st.sampled_from(["send again", "leave"]))
    def decide(self, number: int, verb: str) -> None:
        message = self.message(number, "unknown")
        decision = doubts.send_again if verb == "send again" else doubts.leave
        if message is not None:
            self.ask(lambda db: decision(db, self.world.workspace_id, message.id, who=WHO))

    @precondition(_any("queued"))
    @rule(number=which)
    def cancel_message(self, number: int) -> None:
        message = self.message(number, "queued")
        if message is not None:
            self.ask(lambda db: control.cancel_message(db, self.world.workspace_id, message.id, who=WHO))

    @rule(phone=st.sampled_from(PEOPLE[:2]))
    def opt_out(self, phone: str) -> None:
        self.run(lambda db: suppress.suppress(db, self.world.workspace_id, phone, reason="opt_out", proof="STOP"))

    @rule()
    def stop_or_go(self) -> None:
        switch = control.go if self.world.promises.seen.stopped else control.stop_all
        self.run(lambda db: switch(db, self.world.workspace_id, who=WHO))

    @rule(number=which, verb=st.sampled_from(["move", "cancel", "delete"]))
    def empty_device(self, number: int, verb: str) -> None:
        device_id, workspace_id = self._device(number), self.world.workspace_id
        match verb:
            case "move":
                self.ask(lambda db: move_waiting.move_waiting(db, workspace_id, device_id, who=WHO))
            case "cancel":
                self.ask(lambda db: cancel_waiting.cancel_waiting(db, workspace_id, device_id, who=WHO))
            case _ if len(self.world.devices) > 1:
                self.ask(lambda db: delete_device.delete_device(db, workspace_id, device_id, confirmed=True, who=WHO))
                self.world.devices = self.run(
                    lambda db: list(db.execute(text("SELECT id FROM devices ORDER BY id")).scalars())
                )

    # Time, upkeep and faults

    @rule(hours=st.integers(0, 1))
    def time_passes(self, hours: int) -> None:
        self.world.passes(hours=hours)

    @precondition(_any("queued"))
    @rule(times=st.integers(1, 3))
    def expire(self, times: int) -> None:
        for _ in range(times):
            self.run(lambda db: expire.expire(db, window_s=WINDOW_S))
            self.run(suppress.end_missed)
            self.world.passes()

    @rule(times=st.integers(1, 3), all_is_well=st.booleans())
    def look(self, times: int, all_is_well: bool) -> None:
        if all_is_well:
            self.world.heal()
        for _ in range(times):
            self.world.passes()
            self.world.look()
            self.world.check()

    @rule(number=st.integers(1, 3), state=st.sampled_from(["logged_out", "not_connected"]))
    def session_is_lost(self, number: int, state: str) -> None:
        self.world.bridge.sessions[f"device{number}"] = state

    @rule()
    def bridge_goes_away(self) -> None:
        self.world.bridge.answers = False

    @rule()
    def ledger_is_lost(self) -> None:
        self.world.forget_ledger()

    @precondition(lambda self: self.world.any_slot_held())
    @rule(later=st.booleans())
    def recovery(self, later: bool) -> None:
        if later:
            self.world.passes()
        self.world.recover()

    @precondition(lambda self: self.world.any_slot_held())
    @rule(later=st.booleans())
    def recovery_looks(self, later: bool) -> None:
        if later:
            self.world.passes()
        self.world.recovery_looks()

    @precondition(lambda self: self.world.looked)
    @rule(number=which)
    def recovery_closes(self, number: int) -> None:
        self.world.recovery_closes(number % len(self.world.looked))

    @precondition(lambda self: self.world.looked)
    @rule(number=which)
    def recovery_settles(self, number: int) -> None:
        self.world.recovery_settles(number % len(self.world.looked))

    @precondition(lambda self: self.world.promises.seen.campaigns)
    @rule(number=which)
    def aggregate(self, number: int) -> None:
        self.world.aggregate(self._campaign(number))


def _operate(db: Connection, campaign_id: int, verb: str) -> None:
    match verb:
        case "pause":
            control.pause(db, campaign_id, who=WHO)
        case "resume":
            control.resume(db, campaign_id, who=WHO)
        case "cancel":
            control.cancel(db, campaign_id, who=WHO)
        case "retry":
            control.retry(db, campaign_id, who=WHO)
        case "retry hopeless":
            control.retry(db, campaign_id, who=WHO, codes=["not_on_whatsapp", "provider_error", "expired"])
        case _:
            now = db.execute(text("SELECT clock_timestamp()")).scalar_one()
            decision = doubts.send_all_again if verb == "send all again" else doubts.leave_all
            decision(db, campaign_id, as_of=now, who=WHO)


def test_the_promises_hold_whatever_happens_in_whatever_order(engine: Engine) -> None:
    machine = type("Fanfare", (Anything,), {"engine": engine})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,  # a machine that others use takes as long as it takes
            database=None,
            derandomize=False,
            print_blob=True,
            report_multiple_bugs=False,  # the first one is to be mended first
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
            suppress_health_check=[HealthCheck.too_slow],  # every step is a transaction
        ),
    )
