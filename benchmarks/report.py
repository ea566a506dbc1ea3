"""The figures as Markdown: what docs/benchmarks.md holds."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks import console, pace, saturated
from benchmarks.console import ConsoleResult
from benchmarks.large_launch import SMALL, LaunchResult
from benchmarks.machine import CORES, Usage
from benchmarks.pace import PaceResult
from benchmarks.saturated import SaturatedResult
from benchmarks.sends import percentile
from benchmarks.stage import LATENCY_MS

FULL = 0.85 * CORES  # more than this and there was always somebody who waited for a core
PARTS = ("worker", "dispatcher", "postgres", "redis", "simulator", "api")


@dataclass(frozen=True)
class Report:
    """All that was measured, in the order in which it is told."""

    machine: str
    pace_plan: pace.Plan
    paced: Sequence[PaceResult]
    saturated_plan: saturated.Plan
    saturated: Sequence[SaturatedResult]
    launched: LaunchResult
    console: ConsoleResult


def markdown(report: Report) -> str:
    """The whole page."""
    return (
        "\n".join(
            [*_head(report), *_pace(report), *_saturated(report), *_launch(report.launched), *_console(report.console)]
        )
        + "\n"
    )


def _head(report: Report) -> list[str]:
    return [
        "# Benchmarks",
        "",
        "Written by `make bench`. Everything runs on two cores of one machine: Postgres and Redis as `make up` starts them",
        "(fsync on), one worker process, the dispatcher, the simulator as bridge (a send takes"
        f" {LATENCY_MS} ms) and, where there are",
        "receipts, the API that takes them in. `others` is what else used these cores: the measuring itself, neighbours,",
        "the host. It is the noise; figures are min / **median** / max of windows one after the other.",
        "",
        f"Machine: {report.machine}.",
        "",
    ]


def _pace(report: Report) -> list[str]:
    plan = report.pace_plan
    lines = [
        "## At pace",
        "",
        f"{plan.devices:,} devices, {plan.people:,} people, pauses of {pace.DELAY_S[0]:.0f} to {pace.DELAY_S[1]:.0f} s"
        f" and jitter; {pace.THREADS} threads. {plan.windows} windows of {plan.window_s:.0f} s,",
        f"from {plan.settle_s:.0f} s after the launch on; the campaign as a whole takes longer and is not waited for.",
        "",
        "- **Due**: what the pace allows. Each pause is drawn when the send before it begins; a send is due at the end of",
        "  its own. Lateness of a device's earlier sends is taken out, so that lateness which piles up shows as less",
        "  than 100 %.",
        "- **Lateness**: from due to begun, by the database's clock, of what was due in the windows; what had not begun by",
        "  the end of its window counts up to there. The first send of each device is left out of both: all are due at the",
        "  one instant of the launch.",
        "",
        "| receipts | due/s | sent of due, % | lateness p50, ms | p99, ms | max, ms | cores in all |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in report.paced:
        lateness = row.whole.lateness_s
        lines.append(
            f"| {_on(row.receipts)} | {row.whole.due / row.whole.length_s:.0f}"
            f" | {_spread((100 * window.share for window in row.windows), 1)}; whole {100 * row.whole.share:.1f}"
            f" | {1000 * percentile(lateness, 50):.0f} | {1000 * percentile(lateness, 99):.0f}"
            f" | {1000 * max(lateness):.0f} | {_spread((usage.total for usage in row.usage), 2)} |"
        )
    return [*lines, "", *_cores([(_on(row.receipts), row.usage) for row in report.paced])]


def _saturated(report: Report) -> list[str]:
    plan = report.saturated_plan
    lines = [
        "## Saturated",
        "",
        f"{plan.devices:,} devices without a pace, {plan.people:,} people, {saturated.THREADS} threads. *End to end*"
        " counts from the launch's commit until the",
        f"last message is recorded; the rates are of windows of {plan.window_s:.0f} s while between 10 and 90 % are sent,"
        " and so are the cores.",
        "",
        "| receipts | end to end, messages/s | windows, messages/s | all read after, s | CPU per message, ms | binds |",
        "|---|---|---|---|---|---|",
    ]
    for row in report.saturated:
        per_message_ms = 1000 * row.usage.total / statistics.median(row.rates)
        lines.append(
            f"| {_on(row.receipts)} | {row.people / row.took_s:.0f} | {_spread(row.rates, 0)}"
            f" | {'–' if row.receipts_s is None else f'{row.receipts_s:.0f}'} | {per_message_ms:.2f}"
            f" | {_binds(row.usage)} |"
        )
    return [*lines, "", *_cores([(_on(row.receipts), [row.usage]) for row in report.saturated])]


def _launch(row: LaunchResult) -> list[str]:
    return [
        "## A large launch",
        "",
        f"`POST /api/broadcasts` with {row.people:,} numbers; `queued_count` was {row.queued:,}, and so many rows were"
        " committed.",
        "",
        "| | |",
        "|---|---|",
        f"| until the answer | {row.answered_s:.1f} s |",
        f"| until everybody has a device | {row.distributed_s:.1f} s |",
        f"| peak memory of the API | {row.api_peak_mb:.0f} MB (after {SMALL:,} people: {row.api_before_mb:.0f} MB) |",
        f"| Redis after {SMALL:,} people, after {row.people:,} more | {row.redis_small_mb:.2f} MB,"
        f" {row.redis_large_mb:.2f} MB |",
    ]


def _console(row: ConsoleResult) -> list[str]:
    plan = row.plan
    lines = [
        "",
        "## The console",
        "",
        f"A running campaign of {plan.people:,} people on {console.DEVICES} devices. {plan.visitors} pages are open, half of"
        " them Overview and half the campaign, each over a",
        f"websocket of its own that asks for the page's parts as a browser does; {plan.windows} windows of"
        f" {plan.window_s:.0f} s. A part's time is from the question",
        "until all of it has arrived. The other waits are those of a person at Chromium, which runs on the same two cores:",
        "the first page with an empty browser and a console that was just started, a press in the navigation, and a CSV",
        f"file of {plan.people:,} rows until it is said how many will receive the message. {plan.tries} tries of each.",
        "",
        "| | measured | target |",
        "|---|---|---|",
    ]
    for page, name in (("", "Overview"), ("campaign", "the campaign")):
        for percent in (50, 95):
            figures = [
                percentile([1000 * run.took_s for run in window if run.page == page], percent) for window in row.windows
            ]
            target = "< 60 ms" if percent == 95 else ""
            lines.append(f"| a part of {name}, p{percent} of each window | {_spread(figures, 0)} ms | {target} |")
    used = [usage.parts["console"] for usage in row.usage]
    return [
        *lines,
        f"| the console's cores | {_spread(used, 2)} | < 0.5 |",
        f"| cores of others, Chromium and the visitors included | {_spread((one.others for one in row.usage), 2)} | |",
        f"| peak memory after the open pages; after the uploads | {row.watched_mb:.0f}; {row.peak_mb:.0f} MB | < 400 MB |",
        f"| first page | {_spread(row.first_page_s, 2)} s | < 1.5 s |",
        f"| navigation | {_spread(row.navigation_s, 2)} s | < 0.5 s |",
        f"| upload of {plan.people:,} rows | {_spread(row.upload_s, 1)} s | < 5 s |",
    ]


def _cores(rows: Sequence[tuple[str, Sequence[Usage]]]) -> list[str]:
    """Cores in use by process, the median of the windows."""
    lines = [f"| cores, receipts | {' | '.join((*PARTS, 'others'))} |", "|---" * (len(PARTS) + 2) + "|"]
    for name, usage in rows:
        cells = [_median([one.parts[part] for one in usage if part in one.parts]) for part in PARTS]
        lines.append(f"| {name} | {' | '.join((*cells, _median([one.others for one in usage])))} |")
    return [*lines, ""]


def _binds(usage: Usage) -> str:
    """What there is none left of: the two cores, or else the threads that wait for the bridge."""
    busiest = sorted(usage.parts, key=lambda part: usage.parts[part], reverse=True)[:2]
    used = usage.total + usage.others
    if used > FULL:
        return f"CPU ({used:.1f} of {CORES} cores), most of it {' and '.join(busiest)}"
    return f"not CPU ({used:.1f} of {CORES} cores); busiest {' and '.join(busiest)}"


def _spread(values: Iterable[float], digits: int) -> str:
    found = list(values)
    return f"{min(found):.{digits}f} / **{statistics.median(found):.{digits}f}** / {max(found):.{digits}f}"


def _median(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f}" if values else "–"


def _on(receipts: bool) -> str:
    return "on" if receipts else "off"
