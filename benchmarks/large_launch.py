"""One launch to very many people by the REST API: how long, how much memory, and does Redis grow with it?"""

from __future__ import annotations

import time
from dataclasses import dataclass

import requests
from fleet import SECRETS
from people import phones

from benchmarks.machine import peak_mb
from benchmarks.stage import Servers, Stage, stage, wait_until

DEVICES = 100
SMALL = 1000  # people of the launch with which Redis is compared
PACE_S = 3600.0  # hardly anything is sent meanwhile
LOOK_EVERY_S = 0.05
ANSWER_WITHIN_S = 120


@dataclass(frozen=True)
class LaunchResult:
    """``answered_s``: until the answer, which counts what is committed; ``distributed_s``: until everybody has a device.
    Memory is the API's own peak; Redis is measured after a small launch and again after the large one."""

    people: int
    queued: int
    answered_s: float
    distributed_s: float
    api_before_mb: float
    api_peak_mb: float
    redis_small_mb: float
    redis_large_mb: float


def measure(servers: Servers, people: int) -> LaunchResult:
    """A small launch, which also warms everything up, and then the large one."""
    with stage(servers, devices=DEVICES, gap_s=(PACE_S, PACE_S), receipts=True, threads=16) as on:
        _launch(on, SMALL, start=people)
        redis_small_mb, api_before_mb = on.redis_mb(), peak_mb(on.parts()["api"])
        queued, answered_s, distributed_s = _launch(on, people, start=0)
        return LaunchResult(
            people=people,
            queued=queued,
            answered_s=answered_s,
            distributed_s=distributed_s,
            api_before_mb=api_before_mb,
            api_peak_mb=peak_mb(on.parts()["api"]),
            redis_small_mb=redis_small_mb,
            redis_large_mb=on.redis_mb(),
        )


def _launch(on: Stage, people: int, *, start: int) -> tuple[int, float, float]:
    """Launch; returns the count that was answered, and the seconds until then and until all is distributed."""
    body = {"message": "Hello", "recipients": phones(people, start)}
    headers = {"Authorization": f"Bearer {SECRETS['API_TOKEN']}"}
    begun = time.monotonic()
    answer = requests.post(f"{on.fleet.api_url}/api/broadcasts", json=body, headers=headers, timeout=ANSWER_WITHIN_S)
    answered_s = time.monotonic() - begun
    answer.raise_for_status()
    proof = answer.json()
    committed = on.fleet.one("SELECT count(*) FROM messages WHERE campaign_id = :id", id=proof["broadcast_id"])
    if proof["queued_count"] != committed:
        raise ValueError(f"{proof['queued_count']} answered, {committed} committed")
    wait_until(
        lambda: on.fleet.one("SELECT queued_at IS NOT NULL FROM campaigns WHERE id = :id", id=proof["broadcast_id"]),
        "the campaign is distributed",
        every_s=LOOK_EVERY_S,
    )
    return int(proof["queued_count"]), answered_s, time.monotonic() - begun
