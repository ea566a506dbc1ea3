"""Who runs and what each does, the queues, Redis, the bridges, the versions: as tables of few rows."""

from __future__ import annotations

from typing import Final

import streamlit as st

from bridge.directory import DEFAULT
from console import reading, shown
from console.parts import figures
from console.parts.figures import Figure
from console.words import _, _n, marked, reason
from services.queue_reports import QueueReport
from services.system_views import BridgeView, ProcessView, SystemView

NAMED = 3  # messages in hand that are named; the others are counted
MB = 1024 * 1024
QUEUES: Final = {
    "sends": marked("Sending"),
    "campaigns": marked("Starting and counting campaigns"),
    "upkeep": marked("Upkeep: recovery, health, cleaning up"),
    "events": marked("Receipts"),
}


def draw_figures(system: SystemView) -> None:
    """What is late or in doubt."""
    oldest = system.oldest
    figures.draw(
        [
            Figure(
                _("Oldest waiting"),
                _seconds(oldest.waits_s) if oldest else _("None"),
                help=_("The message that could be sent now and has waited longest for it."),
            ),
            Figure(
                _("Lateness, 5 min"),
                _seconds(system.lateness_p99_s) if system.lateness_p99_s is not None else _("No sends"),
                note=_("half within {time}", time=_seconds(system.lateness_p50_s))
                if system.lateness_p50_s is not None
                else None,
                help=_("99 of 100 sends began within this time of being due."),
            ),
            Figure(
                _("In doubt"),
                shown.number(system.in_doubt),
                help=_("Messages of which nobody knows whether they went out. Each campaign offers the two choices."),
            ),
            Figure(
                _("Receipts to apply"),
                shown.number(system.events_waiting),
                help=_("Stored, and not counted yet."),
            ),
        ]
    )
    if oldest:
        st.caption(_("The oldest waits on {phone}.", phone=shown.plain(oldest.device_name)))


def draw_processes(system: SystemView) -> None:
    st.subheader(_("Processes"))
    if not system.processes:
        st.write(_("No worker and no dispatcher has reported itself."))
        return
    st.table(
        {
            _("Process"): [_kind(process) for process in system.processes],
            _("What it does"): [_doing(process) for process in system.processes],
            _("Where"): [shown.isolated(shown.plain(process.id)) for process in system.processes],
            _("Running since"): [shown.moment(process.started_at, reading.zone()) for process in system.processes],
        },
        border="horizontal",
        hide_index=True,
    )


def draw_queues(report: QueueReport | None) -> None:
    """As the dispatcher last saw them: the console asks Redis nothing."""
    st.subheader(_("Queues and Redis"))
    if report is None or report.counted_at is None:
        st.write(_("No dispatcher has reported the queues yet."))
        return
    known = {queue.name: queue for queue in report.queues}
    queues = [known[name] for name in QUEUES if name in known]
    st.table(
        {
            _("Queue"): [_(QUEUES[queue.name]) for queue in queues],
            _("Waiting"): [shown.number(queue.waiting) for queue in queues],
            _("Delayed"): [shown.number(queue.delayed) for queue in queues],
            _("Dead letters"): [shown.number(queue.dead) for queue in queues],
        },
        border="horizontal",
        hide_index=True,
    )
    used = _("{number} MB", number=shown.number(round(report.memory_used / MB, 1)))
    if report.memory_limit:
        limit = _("{number} MB", number=shown.number(round(report.memory_limit / MB, 1)))
        memory = _("Redis uses {used} of {limit}.", used=used, limit=limit)
    else:
        memory = _("Redis uses {used}; it has no limit.", used=used)
    policy = _("When full: {policy}.", policy=shown.isolated(report.memory_policy))
    seen = _("Counted at {time}.", time=shown.moment(report.counted_at, reading.zone(), exact=True))
    st.caption(f"{memory} {policy} {seen}")
    if report.dead_letters:
        st.markdown(f"**{_('Dead letters: jobs that nobody could run')}**")
        st.table(
            {
                _("Job"): [shown.isolated(shown.plain(letter.actor or "?")) for letter in report.dead_letters],
                _("Arguments"): [
                    shown.isolated(", ".join(map(str, letter.arguments)) or "–") for letter in report.dead_letters
                ],
                _("When"): [shown.moment(letter.at, reading.zone(), exact=True) for letter in report.dead_letters],
            },
            border="horizontal",
            hide_index=True,
        )


def draw_bridges(bridges: list[BridgeView]) -> None:
    st.subheader(_("Bridges to WhatsApp"))
    if not bridges:
        st.write(_("No phone uses a bridge yet."))
        return
    st.table(
        {
            _("Bridge"): [_address(bridge) for bridge in bridges],
            _("Phones"): [shown.number(bridge.devices) for bridge in bridges],
            _("State"): [_state(bridge) for bridge in bridges],
            _("Last answer"): [
                shown.ago(bridge.checked_ago_s) if bridge.checked_ago_s is not None else _("Never")
                for bridge in bridges
            ],
        },
        border="horizontal",
        hide_index=True,
    )


def draw_versions(system: SystemView) -> None:
    versions = system.versions
    named = {
        "Fanfare": versions.fanfare,
        _("Database schema"): versions.schema_revision,
        "Postgres": versions.postgres,
        "Redis": versions.redis or "–",
        "Python": versions.python,
    }
    st.subheader(_("Versions"))
    st.caption(" · ".join(shown.plain(f"{name} {version}") for name, version in named.items()))


def _kind(process: ProcessView) -> str:
    if process.kind == "dispatcher":
        return _("Dispatcher, leads") if process.leads and process.alive else _("Dispatcher")
    return _("Worker")


def _doing(process: ProcessView) -> str:
    if not process.alive:
        return _("Gone; last seen {time}", time=shown.moment(process.seen_at, reading.zone(), exact=True))
    if process.kind == "dispatcher":
        return _("Hands out the work") if process.leads else _("Stands by")
    if not process.sending:
        return _("Idle")
    named = [
        _("{phone} for {campaign}", phone=shown.plain(one.device), campaign=shown.plain(one.campaign))
        if one.campaign
        else shown.plain(one.device)
        for one in process.sending[:NAMED]
    ]
    count = len(process.sending)
    words = _n(
        "Sends {count} message: {what}",
        "Sends {count} messages: {what}",
        count,
        count=shown.number(count),
        what=", ".join(named),
    )
    return words + ("…" if count > NAMED else "")


def _address(bridge: BridgeView) -> str:
    # As code, so that it is not made a link
    return _("Default (BRIDGE_URL)") if bridge.address == DEFAULT else shown.isolated(f"`{bridge.address}`")


def _state(bridge: BridgeView) -> str:
    if bridge.away_since is None:
        return _("Answers")
    since = shown.moment(bridge.away_since, reading.zone())
    return _("Away since {time}: {reason}", time=since, reason=reason(bridge.error_code))


def _seconds(seconds: float) -> str:
    """Below ten seconds with a place, because there a tenth matters."""
    if seconds < 10:
        return _("{seconds} s", seconds=shown.number(round(seconds, 1)))
    return shown.lasting(seconds)
