"""What the measurements of the Cloud API have found, and how docs/cloud.md says it."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from benchmarks.machine import Usage
from domain.pacing import CATCH_UP_S


@dataclass(frozen=True)
class Arrivals:
    """When messages arrived, in order, by a clock in seconds, within ``length_s``."""

    at_s: list[float]
    length_s: float

    @property
    def rate(self) -> float:
        return len(self.at_s) / self.length_s

    @property
    def most_in_a_second(self) -> int:
        """The most in any second, wherever it begins."""
        return max(bisect_left(self.at_s, at + 1.0) - place for place, at in enumerate(self.at_s))


@dataclass(frozen=True)
class Steady:
    """A number at its usual rate, in messages a second."""

    asked: int
    arrivals: Arrivals
    usage: Usage

    @property
    def allowed(self) -> int:
        """The most in a second by our burst rule (docs/decisions/0029)."""
        return int(self.asked * (1 + CATCH_UP_S)) + 1


@dataclass(frozen=True)
class Strict:
    """A number at a rate, where more than ``limit`` in any second is ``refused``."""

    asked: int
    limit: int
    arrivals: Arrivals
    refused: int


@dataclass(frozen=True)
class Fast:
    threads: int
    arrivals: Arrivals
    usage: Usage


@dataclass(frozen=True)
class Webhooks:
    """Webhooks a second, and how long their answers took. ``refused`` were not answered 200, ``waiting`` not yet applied
    at the end."""

    rate: float
    p50_ms: float
    p99_ms: float
    worst_ms: float
    refused: int
    waiting: int
    usage: Usage


@dataclass(frozen=True)
class Cloud:
    machine: str
    steady: Steady
    strict: list[Strict]
    fast: Fast
    webhooks: Webhooks


def page(found: Cloud) -> list[str]:
    """The part of docs/cloud.md, line by line."""
    steady, fast, webhooks = found.steady, found.fast, found.webhooks
    return [
        "",
        f"Machine: {found.machine}.",
        "",
        "| What | Target | Measured |",
        "|---|---|---|",
        f"| one number set to {steady.asked}/s, for {steady.arrivals.length_s:.0f} s |"
        f" {steady.asked}/s ± 2 % | **{steady.arrivals.rate:.1f}/s** ({steady.arrivals.rate / steady.asked:.1%}) |",
        f"| … the most in any second | {steady.allowed} (burst rule) | **{steady.arrivals.most_in_a_second}** |",
        f"| … cores in use | | {_cores(steady.usage)} |",
        *(
            f"| one number set to {strict.asked}/s, where more than {strict.limit} in any second is refused | said |"
            f" **{strict.arrivals.rate:.1f}/s**, {strict.refused} refused |"
            for strict in found.strict
        ),
        f"| one number set to 1,000/s, {fast.threads} threads | said | **{fast.arrivals.rate:.0f}/s**, at most"
        f" {fast.arrivals.most_in_a_second} in a second |",
        f"| … cores in use | | {_cores(fast.usage)} |",
        f"| webhooks while sending, {webhooks.rate:.0f}/s, answered within | p99 < 100 ms |"
        f" median {webhooks.p50_ms:.1f} ms, p99 **{webhooks.p99_ms:.1f} ms**, worst {webhooks.worst_ms:.0f} ms |",
        f"| … not answered 200; stored and not yet applied at the end | 0 | {webhooks.refused}; {webhooks.waiting} |",
        f"| … cores in use | | {_cores(webhooks.usage)} |",
        "",
    ]


def _cores(usage: Usage) -> str:
    parts = sorted(usage.parts.items(), key=lambda part: -part[1])
    return f"{sum(usage.parts.values()):.2f}: " + ", ".join(
        f"{name} {cores:.2f}" for name, cores in parts if cores >= 0.01
    )
