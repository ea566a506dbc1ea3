"""The machine that is measured on, and who uses its processors: we by process, and others."""

from __future__ import annotations

import os
import platform
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

CORES = 2
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
FLUSHES = 200


def use_two_cores() -> None:
    """Keep this process, and all that it starts, on the first two cores it may use."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])


def describe(folder: Path) -> str:
    """One line: processor, memory, system, Python, and how long an fsync takes in ``folder``."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    memory_kb = int(_lines("/proc/meminfo")[0].split()[1])
    return (
        f"{model}, {len(os.sched_getaffinity(0))} of {os.cpu_count()} cores used, {memory_kb / 1e6:.0f} GB,"
        f" Linux {platform.release()}, Python {platform.python_version()},"
        f" an fsync of 8 KiB takes {_flush_ms(folder):.2f} ms (median of {FLUSHES})"
    )


def _flush_ms(folder: Path) -> float:
    """Every committed send waits for at least one of these."""
    took: list[float] = []
    with (folder / "flush").open("wb", buffering=0) as file:
        for _ in range(FLUSHES):
            file.write(b"\0" * 8192)
            started = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append((time.perf_counter() - started) * 1000)
    return statistics.median(took)


@dataclass(frozen=True)
class Reading:
    """CPU seconds used up to a moment (``at_s``, monotonic): by each of our parts, and by all of our cores together."""

    at_s: float
    parts: dict[str, float]
    machine: float


@dataclass(frozen=True)
class Usage:
    """Cores in use between two readings: by each part, and by others (the measuring itself, neighbours, the host)."""

    parts: dict[str, float]
    others: float

    @property
    def total(self) -> float:
        return sum(self.parts.values())


def read(parts: dict[str, int]) -> Reading:
    """Read the counters; ``parts`` are names with the process at the root of each."""
    return Reading(time.monotonic(), {name: _tree_s(pid) for name, pid in parts.items()}, _machine_s())


def between(first: Reading, last: Reading) -> Usage:
    elapsed_s = last.at_s - first.at_s
    parts = {name: (used - first.parts[name]) / elapsed_s for name, used in last.parts.items()}
    return Usage(parts, max(0.0, (last.machine - first.machine) / elapsed_s - sum(parts.values())))


def peak_mb(pid: int) -> float:
    """The most memory that a process and its children have held, in MB, each at its own worst moment."""
    total_kb = 0
    for one in _tree(pid):
        peaks = [line for line in _lines(f"/proc/{one}/status") if line.startswith("VmHWM")]
        total_kb += sum(int(line.split()[1]) for line in peaks)
    return total_kb / 1024


def _tree_s(pid: int) -> float:
    """CPU seconds of a process and everything below it, those of children that have ended included."""
    ticks = 0
    for one in _tree(pid):
        for line in _lines(f"/proc/{one}/stat"):
            ticks += sum(int(field) for field in line.rpartition(")")[2].split()[11:15])
    return ticks * TICK_S


def _tree(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            found += [int(child) for line in _lines(str(task)) for child in line.split()]
    return found


def _machine_s() -> float:
    """CPU seconds that our cores have spent on anything, time taken by the host (steal) included."""
    ours = {f"cpu{number}" for number in os.sched_getaffinity(0)}
    ticks = 0
    for line in _lines("/proc/stat"):
        name, *fields = line.split()
        if name in ours:
            user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, fields[:8])
            ticks += user + nice + system + irq + softirq + steal
    return ticks * TICK_S


def _lines(path: str) -> list[str]:
    """The lines of a file of /proc; none when its process has ended."""
    try:
        return Path(path).read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return []
