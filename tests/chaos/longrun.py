"""The long run: a campaign to very many while everything it stands on is killed, by a plan that a seed decides."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from fleet import Fleet
from ground import ground
from oracle import ENDED, Verdict, judge
from people import add_devices, launch_to, phones
from waiting import until

from bridge.simulator.behaviours import draw

SHARES = {"error_before": 0.05, "error_after": 0.05, "timeout_before": 0.05}
WORKERS = tuple(f"worker-{number}" for number in range(1, 5))
OUTLIVE = ("dispatcher", "api")  # no server that goes away ends these
PEOPLE_PER_DEVICE = 50
KILL_EVERY_S = 2.0
LOOK_EVERY_S = 0.2
SEED_STEP = 1_000_000  # message ids of two seeds are so far apart


@dataclass(frozen=True)
class Plan:
    """What a seed decides: when which server dies, by the share of people of whom is known how it ended, and which worker
    dies at each kill. ``each``: how often each server dies."""

    seed: int
    people: int
    each: int = 3
    receipts: bool = True

    @property
    def faults(self) -> list[tuple[float, str]]:
        """(share, name of a method of Ground), in order."""
        rng = Random(f"servers of {self.seed}")
        postgres = [rng.choice(("kill_postgres", "stop_postgres")) for _ in range(self.each)]
        what = [*postgres, *["kill_and_empty_redis"] * self.each, *["kill_bridge"] * self.each]
        rng.shuffle(what)
        return list(zip(sorted(rng.uniform(0.05, 0.9) for _ in what), what, strict=True))

    @property
    def patience_s(self) -> float:
        """How long to wait for anything."""
        return 60 + self.people / 10

    @property
    def shares(self) -> dict[str, float]:
        """A time-out after the hand-over is settled where receipts come, and never where they do not."""
        return {**SHARES, "timeout_settled" if self.receipts else "timeout_after": 0.05}


@dataclass(frozen=True)
class Outcome:
    """What a run came to. ``faults``: those of the bridge that keys met. ``stuck``: the keys that the bridge's ledger holds
    as *dispatching* and that nothing can settle; ``unexplained``: where these differ from the last attempts of what is
    unknown. ``given_up_early``: failed without three attempts that are proven not sent. ``took_s``: to the campaign's end.
    """

    plan: Plan
    verdict: Verdict
    kills: int
    faults: int
    failed: dict[str, int]
    stuck: int
    unexplained: set[str]
    given_up_early: int
    took_s: float

    @property
    def good(self) -> bool:
        # Whoever failed three times in a row was unlucky three times in a row: such people are few.
        few = sum(self.failed.values()) <= max(5, self.plan.people // 100)
        return not self.verdict.wrong and not self.unexplained and not self.given_up_early and few


def kill_workers(fleet: Fleet, rng: Random, done: threading.Event) -> int:
    """Kill a worker, any of them, every two seconds until ``done``, and start another in its place; returns how many.

    One that finds no server when it starts says so and ends: it is started again, as ``make up`` would.
    """
    kills = 0
    kill_at = time.monotonic() + KILL_EVERY_S
    while not done.wait(LOOK_EVERY_S):
        if time.monotonic() >= kill_at:
            kill_at += KILL_EVERY_S
            fleet.kill(rng.choice(WORKERS))
            kills += 1
        ended = [name for name in WORKERS if name not in fleet.processes or fleet.processes[name].poll() is not None]
        fleet.start(*ended)
    return kills


def run(plan: Plan, folder: Path, tell: Callable[[str], None]) -> Outcome:
    """Carry the plan out and let the oracle judge. Raises AssertionError when the run does not come to an end."""
    numbers = phones(plan.people)
    settings = {"send_limit_s": 1, "simulator_latency_ms": 40, "simulator_receipts": str(plan.receipts).lower()}
    with ground(folder, **settings) as on:
        fleet = on.fleet
        _launch(plan, fleet, numbers)
        started = time.monotonic()
        done = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            killer = pool.submit(kill_workers, fleet, Random(f"workers of {plan.seed}"), done)
            try:
                for share, fault in plan.faults:
                    _until(plan, fleet, partial(_ended, fleet, share), f"{share:.0%} have ended")
                    tell(f"{time.monotonic() - started:4.0f} s, {share:4.0%}: {fault}")
                    getattr(on, fault)()
                _until(
                    plan, fleet, lambda: fleet.one("SELECT every(finished_at IS NOT NULL) FROM campaigns"), "it ends"
                )
            finally:
                done.set()
        took_s = time.monotonic() - started
        _until(
            plan,
            fleet,
            lambda: _quiet(fleet),
            "all receipts are applied, and every slot is free",
        )
        tell(f"{took_s:4.0f} s, ended; {time.monotonic() - started:.0f} s, quiet")
        return _outcome(plan, fleet, numbers, killer.result(), took_s)


def _launch(plan: Plan, fleet: Fleet, numbers: list[str]) -> None:
    fleet.execute(f"ALTER TABLE messages ALTER COLUMN id RESTART WITH {plan.seed * SEED_STEP}")
    devices = max(30, plan.people // PEOPLE_PER_DEVICE)
    fleet.start("api", "bridge")
    fleet.sessions_can_send(*(f"device{number}" for number in range(1, devices + 1)))
    fleet.bridge("POST", "/simulator/behaviour", {"shares": plan.shares})
    with fleet.engine.begin() as db:
        add_devices(db, devices)
    fleet.start(*WORKERS, "dispatcher")
    with fleet.engine.begin() as db:
        launch_to(db, numbers)


def _until(plan: Plan, fleet: Fleet, condition: Callable[[], Any], what: str) -> None:
    def met() -> Any:
        for name in OUTLIVE:
            assert fleet.processes[name].poll() is None, f"{name} ended:\n{fleet.log(name)[-2000:]}"
        return condition()

    until(met, what, plan.patience_s, 0.1)


def _ended(fleet: Fleet, share: float) -> bool:
    """Whether it is known of so many people how it ended."""
    return bool(
        fleet.one("SELECT avg((status = ANY(:ended))::int) >= :share FROM messages", ended=list(ENDED), share=share)
    )


def _quiet(fleet: Fleet) -> bool:
    """Nothing will change any more."""
    waits = fleet.one(
        "SELECT (SELECT count(*) FROM messages WHERE slot IS NOT NULL)"
        " + (SELECT count(*) FROM events WHERE applied_at IS NULL)"
    )
    return not waits and not _ledger(fleet, "SELECT 1 FROM outbox LIMIT 1")


def _outcome(plan: Plan, fleet: Fleet, numbers: list[str], kills: int, took_s: float) -> Outcome:
    verdict = judge(fleet, numbers)
    if overlaps := fleet.bridge("GET", "/ledger/overlaps"):
        verdict.doubled.append(f"{len(overlaps)} sends at once on one session")
    # Where receipts come, what was handed over is settled by them: a key is stuck only when the bridge died before that.
    handed = "AND NOT EXISTS (SELECT 1 FROM handovers WHERE handovers.key = keys.key)" if plan.receipts else ""
    stuck = {key for (key,) in _ledger(fleet, f"SELECT key FROM keys WHERE state = 'dispatching' {handed}")}
    unknown = {
        row.key for row in fleet.rows("SELECT id || '.' || attempt AS key FROM messages WHERE status = 'unknown'")
    }
    failed = fleet.rows(
        "SELECT error_code, count(*) AS count FROM messages WHERE status = 'failed' GROUP BY error_code"
    )
    return Outcome(
        plan=plan,
        verdict=verdict,
        kills=kills,
        faults=_injected(plan, fleet),
        failed={row.error_code: row.count for row in failed},
        stuck=len(stuck),
        unexplained=stuck ^ unknown,
        given_up_early=fleet.one(
            "SELECT count(*) FROM messages WHERE status = 'failed' AND (attempts_used < 3 OR has_unproven_attempt(id))"
        ),
        took_s=took_s,
    )


def _injected(plan: Plan, fleet: Fleet) -> int:
    """How many of the keys that reached the bridge fell under a fault."""
    keys = _ledger(fleet, "SELECT key FROM keys WHERE person IS NOT NULL")
    return sum(draw(key) < sum(plan.shares.values()) for (key,) in keys)


def _ledger(fleet: Fleet, query: str) -> list[Any]:
    """What the simulator has written into its own file, which it goes on writing meanwhile."""
    with closing(sqlite3.connect(f"file:{fleet.folder / 'simulator.db'}?mode=ro", uri=True, timeout=30)) as db:
        return db.execute(query).fetchall()
