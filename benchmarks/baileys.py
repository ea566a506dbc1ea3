"""``python -m benchmarks.baileys``: the Baileys sidecar against the tests' WhatsApp; writes its part of docs/baileys.md.

Its speed is compared with that of Baileys alone, in turns in the same run: the machine's moods fall on both.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis
from bridges import SECRET, text_to
from campaign_kills import Kills, kill_under_campaign
from databases import database
from fleet import Fleet
from partner import FakeWhatsApp, LinkedBridge, Sidecar, new_phone, sidecar, whatsapp

from benchmarks import ROOT, machine
from benchmarks.page import put
from benchmarks.stage import Servers, servers
from db.engine import connect_once
from db.migrate import migrate

PAGE = ROOT / "docs" / "baileys.md"
PART = "figures"
WARM = 3  # rounds that do not count, of either
WAITING = 3  # requests in hand: the one that goes out, and those that wait for it
AT_ONCE = 10  # senders of the rounds over all sessions
SETTLED_S = 10.0
KILLS, KILLED_SESSIONS = 3, 10
PATIENCE_S = 600.0


@dataclass(frozen=True)
class Plan:
    """How much is measured: ``sends`` of one session in each of its rounds, ``spread`` in each round over all sessions."""

    rounds: int
    sends: int
    known: int
    sessions: int
    spread: int
    people: int


@dataclass(frozen=True)
class SidecarResult:
    """Rates are sends a second, one for each round; memory is resident, in MB."""

    plan: Plan
    bare: list[float]
    ours: list[float]
    idle_mb: float
    after_mb: list[float]
    spread_rates: list[float]
    kills: Kills


FULL = Plan(rounds=5, sends=1_000, known=50, sessions=50, spread=2_000, people=1_000)
QUICK = Plan(rounds=2, sends=200, known=20, sessions=10, spread=300, people=100)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.baileys", description="Measure the Baileys sidecar.")
    parser.add_argument("--quick", action="store_true", help="smaller and shorter; docs/baileys.md stays as it is")
    quick = parser.parse_args().quick
    machine.use_two_cores()
    with servers() as on:
        told = lines(measure(on, QUICK if quick else FULL), machine.describe(on.folder))
    print("\n".join(told))
    if not quick:
        put(PAGE, PART, told)
    return 0


def measure(on: Servers, plan: Plan) -> SidecarResult:
    """Everything about the sidecar, one after the other on an empty database each."""
    bare, ours = _one_session(on, plan)
    idle_mb, after_mb, rates = _many_sessions(on, plan)
    return SidecarResult(plan, bare, ours, idle_mb, after_mb, rates, _kills(on, plan))


def _one_session(on: Servers, plan: Plan) -> tuple[list[float], list[float]]:
    """The rates of Baileys alone and of the sidecar, from ack to ack."""
    with _running(on, "one") as (fake, running):
        bridge = running.bridge
        bridge.link("desk")
        people = [f"97253{number:07d}@s.whatsapp.net" for number in range(plan.known)]
        round_of = [people[number % plan.known] for number in range(plan.sends)]
        for _ in range(WARM):
            _send(bridge, "desk", round_of, WAITING)
        bare, ours = [], []
        for round_ in range(plan.rounds):
            bare.append(_bare(fake, plan))
            ours.append(_send(bridge, "desk", round_of, WAITING))
            _tell(f"round {round_ + 1}: Baileys alone {bare[-1]:.0f}/s, the sidecar {ours[-1]:.0f}/s")
    return bare, ours


def _bare(fake: FakeWhatsApp, plan: Plan) -> float:
    """What Baileys alone sends a second, when it is warm: a device of its own, linked for this round."""
    told = subprocess.run(
        [
            *(sys.executable, "-m", "bridge.node", "run", "test/bare.js"),
            *(fake.settings["BAILEYS_TEST_URL"], fake.control, new_phone()),
            *map(str, (plan.known, WARM + 1, plan.sends)),
        ],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    return float(told.split()[-1])


def _many_sessions(on: Servers, plan: Plan) -> tuple[float, list[float], list[float]]:
    """Memory of an idle process with all sessions, and memory and rate after each round of sends over all of them."""
    sessions = [f"desk{number}" for number in range(plan.sessions)]
    with _running(on, "many") as (_, running):
        running.bridge.make_ready(sessions)
        running.stop()
        running.start()
        running.bridge.until_able(*sessions, within_s=PATIENCE_S)
        time.sleep(SETTLED_S)
        idle_mb = _resident_mb(running)
        after_mb, rates = [], []
        share = plan.spread // plan.sessions
        for round_ in range(3):
            begin = time.perf_counter()
            with ThreadPoolExecutor(AT_ONCE) as threads:
                people = [_people(number, share) for number in range(plan.sessions)]
                list(threads.map(_send, [running.bridge] * plan.sessions, sessions, people))
            rates.append(plan.spread / (time.perf_counter() - begin))
            time.sleep(SETTLED_S)
            after_mb.append(_resident_mb(running))
            _tell(f"round {round_ + 1} over {plan.sessions} sessions: {rates[-1]:.0f}/s, {after_mb[-1]:.0f} MB")
    return idle_mb, after_mb, rates


def _people(session: int, count: int) -> list[str]:
    """Those to whom a session writes in every round."""
    return [f"97255{session:03d}{number:04d}@s.whatsapp.net" for number in range(count)]


def _kills(on: Servers, plan: Plan) -> Kills:
    folder = on.folder / "kills"
    folder.mkdir()
    with database(on.postgres.url, "kills") as url, whatsapp(folder) as fake:
        redis.Redis.from_url(on.redis.url).flushall()
        migrate(connect_once(url, name="benchmarks"))
        fleet = Fleet(folder / "fleet", url, on.redis.url, send_limit_s=5, worker_threads=16)
        try:
            return kill_under_campaign(
                fleet,
                fake,
                people=plan.people,
                sessions=KILLED_SESSIONS,
                kills=KILLS,
                gap_s=0.1,
                within_s=PATIENCE_S,
            )
        finally:
            fleet.stop()


@contextmanager
def _running(on: Servers, name: str) -> Iterator[tuple[FakeWhatsApp, Sidecar]]:
    """A WhatsApp and a sidecar on a database of its own."""
    folder = on.folder / name
    folder.mkdir()
    with (
        database(on.postgres.url, name) as url,
        whatsapp(folder) as fake,
        sidecar(folder, url, fake) as running,
    ):
        yield fake, running


def _send(bridge: LinkedBridge, session: str, people: Sequence[str], waiting: int = 1) -> float:
    """Send to these people, so many requests in hand at a time; how many a second."""
    shares = [people[begin::waiting] for begin in range(waiting)]
    begin = time.perf_counter()
    with ThreadPoolExecutor(waiting) as threads:
        list(threads.map(lambda share: _send_each(bridge, session, share), shares))
    return len(people) / (time.perf_counter() - begin)


def _send_each(bridge: LinkedBridge, session: str, people: Sequence[str]) -> None:
    """One after the other, on one connection."""
    connection = http.client.HTTPConnection(urlsplit(bridge.url).netloc, timeout=60)
    headers = {"X-Internal-Secret": SECRET, "Content-Type": "application/json"}
    for person in people:
        body: dict[str, Any] = text_to(person)
        connection.request("POST", f"/whatsapp/{session}/messages", json.dumps(body), headers)
        answer = connection.getresponse()
        told = answer.read()
        assert answer.status == http.HTTPStatus.OK, told
    connection.close()


def _resident_mb(running: Sidecar) -> float:
    status = Path(f"/proc/{running.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


def _tell(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {words}", file=sys.stderr)


def lines(row: SidecarResult, machine_words: str) -> list[str]:
    """The part of the page."""
    plan, kills = row.plan, row.kills
    ratio = statistics.median(row.ours) / statistics.median(row.bare)
    settled = ", ".join(f"{count:,} {status}" for status, count in sorted(kills.counts.items()))
    return [
        "Written by `python -m benchmarks.baileys`, against the WhatsApp of the tests, which runs on the same two cores:",
        f"{machine_words}.",
        "Rates are min / **median** / max; what Baileys alone does from round to round is also the noise.",
        "",
        f"One session: {plan.sends:,} texts to {plan.known} people who were written to before, by HTTP, {WAITING} requests",
        "in hand, so that it goes from ack to ack; fsync on. *Baileys alone* has its keys in memory and no ledger, and",
        f"writes to one after the other. Both are warm ({WARM * plan.sends:,} sends), and measured in turns.",
        f"All sessions: {plan.spread:,} texts in each round, {AT_ONCE} sessions at once.",
        "",
        "| | measured | target |",
        "|---|---|---|",
        f"| one session, sends/s | {_spread(row.ours)} | ≥ 200 |",
        f"| Baileys alone, sends/s | {_spread(row.bare)} | |",
        f"| the sidecar's part of it | **{ratio:.2f}** | ≥ 0.6 |",
        f"| {plan.sessions} sessions, idle | {row.idle_mb:.0f} MB | ≤ 250 MB |",
        f"| … after each of three rounds | {', '.join(f'{mb:.0f}' for mb in row.after_mb)} MB | flat |",
        f"| … sends/s in each | {', '.join(f'{rate:.0f}' for rate in row.spread_rates)} | |",
        f"| a campaign of {kills.people:,} over {KILLED_SESSIONS} sessions, the sidecar killed {KILLS} times"
        f" | {len(kills.lost)} lost, {len(kills.doubled)} doubled | 0, 0 |",
        f"| … sends that were in doubt for a while; how it ended | {kills.doubted}; {kills.status}: {settled} | |",
    ]


def _spread(values: Sequence[float]) -> str:
    return f"{min(values):.0f} / **{statistics.median(values):.0f}** / {max(values):.0f}"


if __name__ == "__main__":
    sys.exit(main())
