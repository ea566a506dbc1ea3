"""What the operator is told of the machine room is what is there."""

from __future__ import annotations

import pytest
from people import add_devices, workspace
from placing import begin_next, place_campaign, place_message, use_devices
from sqlalchemy import Connection, text

from db.queries import query
from services import audit, control, processes, queue_reports, system_views
from services.processes import Process
from services.system_views import SystemView

FACTS = {
    "queues": [{"name": "sends", "waiting": 3, "delayed": 0, "dead": 1}],
    "dead_letters": [{"queue": "sends", "actor": "gone", "arguments": [7], "at": "2026-11-20T08:15:00+00:00"}],
    "memory_used": 4_000_000,
    "memory_limit": 0,
    "memory_policy": "noeviction",
    "redis_version": "6.2.9",
}


def read(db: Connection) -> SystemView:
    return system_views.read(db, workspace(db))


def staffed(db: Connection) -> None:
    """A leader, a worker of the name that tests begin messages by, and a report of the queues."""
    processes.report(db, Process("here:1", "dispatcher", 1), leads=True, first=True)
    processes.report(db, Process("a worker", "worker", 16), leads=False, first=True)
    queue_reports.write(db, FACTS)


def test_an_empty_house_is_not_called_well(db: Connection) -> None:
    seen = read(db)
    assert seen.faults == ["no_dispatcher", "no_worker"]
    assert (seen.processes, seen.bridges, seen.queues, seen.oldest) == ([], [], None, None)
    assert (seen.attempts, seen.lateness_p50_s, seen.versions.redis) == (0, None, None)


def test_who_runs_and_what_each_does(db: Connection) -> None:
    staffed(db)
    processes.report(db, Process("gone:9", "worker", 16), leads=False, first=True)
    db.execute(text("UPDATE processes SET seen_at = seen_at - interval '16 seconds' WHERE id = 'gone:9'"))
    (device,) = add_devices(db, 1)
    campaign = place_campaign(db, title="November promo")
    use_devices(db, campaign, device)
    message = place_message(db, campaign, device_id=device)
    assert begin_next(db, device) is not None
    seen = read(db)
    assert seen.faults == []
    dispatcher, worker, gone = seen.processes
    assert (dispatcher.leads, dispatcher.sending, gone.alive) == (True, [], False)
    (sending,) = worker.sending
    assert (sending.message_id, sending.device, sending.campaign) == (message, "device1", "November promo")
    assert 0 <= sending.for_s < 10
    assert (seen.attempts, seen.versions.fanfare) == (1, processes.version())
    assert seen.lateness_p99_s is not None
    assert seen.versions.schema_revision >= "0004"
    assert [(bridge.address, bridge.devices) for bridge in seen.bridges] == [("default", 1)]


def test_what_was_told_of_redis_stays_with_its_time(db: Connection) -> None:
    staffed(db)
    queues = read(db).queues
    assert queues is not None
    assert [(queue.name, queue.waiting, queue.dead) for queue in queues.queues] == [("sends", 3, 1)]
    assert [(letter.actor, letter.arguments) for letter in queues.dead_letters] == [("gone", [7])]
    queue_reports.redis_away(db)
    seen = read(db)
    assert seen.faults == ["redis_away"]
    assert seen.queues is not None
    assert (seen.queues.queues, seen.queues.counted_at) == (queues.queues, queues.counted_at)
    assert seen.versions.redis == "6.2.9"


def test_a_redis_that_was_never_there_has_no_figures(db: Connection) -> None:
    queue_reports.redis_away(db)
    queues = read(db).queues
    assert queues is not None
    assert (queues.queues, queues.counted_at, queues.away_since is None) == ([], None, False)


@pytest.mark.parametrize("hindered", [None, "cannot send", "not due", "bridge away", "stopped", "paused", "out"])
def test_the_oldest_that_could_be_sent_now_is_late_and_what_may_not_go_is_not(
    db: Connection, hindered: str | None
) -> None:
    staffed(db)
    (device,) = add_devices(db, 1)
    campaign = place_campaign(db)
    use_devices(db, campaign, device)
    message = place_message(db, campaign, device_id=device)
    db.execute(text("UPDATE messages SET due_at = due_at - interval '1 hour'"))
    db.execute(text("UPDATE devices SET next_send_at = clock_timestamp() - interval '90 seconds'"))
    match hindered:
        case "cannot send":
            db.execute(text("UPDATE devices SET can_send = false"))
        case "not due":
            db.execute(text("UPDATE devices SET next_send_at = clock_timestamp() + interval '1 hour'"))
        case "bridge away":
            db.execute(text("UPDATE bridges SET away_since = clock_timestamp()"))
        case "stopped":
            control.stop_all(db, workspace(db), who="dana")
        case "paused":
            control.pause(db, campaign, who="dana")
        case "out":
            db.execute(text("UPDATE campaign_devices SET out_at = clock_timestamp()"))
    seen = read(db)
    if hindered is None:
        assert seen.oldest is not None
        assert (seen.oldest.message_id, seen.oldest.device_name, seen.faults) == (message, "device1", ["messages_late"])
        assert 90 <= seen.oldest.waits_s < 100
    else:
        assert seen.oldest is None
        told = {"bridge away": ["bridge_away"], "stopped": ["stopped"]}
        assert seen.faults == told.get(hindered, [])


def test_doubts_are_counted_until_somebody_has_decided(db: Connection) -> None:
    (device,) = add_devices(db, 1)
    campaign = place_campaign(db, "partial")
    for where in (campaign, campaign, None):
        place_message(db, where, "unknown", device_id=device, attempts=["unknown"])
    assert read(db).in_doubt == 3
    decided = audit.write(db, workspace(db), "dana", "leave_unknown", "message:1")
    db.execute(text("UPDATE messages SET doubt_left_by = :id WHERE campaign_id IS NULL"), {"id": decided})
    assert read(db).in_doubt == 2


def test_events_that_nobody_applies_are_late(db: Connection) -> None:
    staffed(db)
    db.execute(
        text(
            "INSERT INTO events (event_id, session, type, at, data, received_at)"
            " VALUES ('1', 'device1', 'receipt', now(), '{}', clock_timestamp() - interval '2 minutes')"
        )
    )
    seen = read(db)
    assert (seen.events_waiting, seen.faults) == (1, ["events_late"])


def test_the_audit_trail_by_pages(db: Connection) -> None:
    (device,) = add_devices(db, 1)
    for number in range(system_views.AUDIT_PAGE + 1):
        audit.write(db, workspace(db), "dana", "change_device", f"device:{device}", {"number": number})
    audit.write(db, workspace(db), "noa", "delete_device", "device:999")
    page = system_views.audit_trail(db, workspace(db))
    assert (page[0].who, page[0].name) == ("noa", None)
    assert (page[1].name, page[1].details) == ("device1", {"number": system_views.AUDIT_PAGE})
    rest = system_views.audit_trail(db, workspace(db), before=page[-1].id)
    assert [entry.details for entry in rest] == [{"number": 1}, {"number": 0}]


def test_lateness_is_read_from_the_attempts_of_late_alone(db: Connection) -> None:
    db.execute(text("SET LOCAL enable_seqscan = off"))
    plan = db.execute(text(f"EXPLAIN {query('system_figures').text}"), {"workspace_id": workspace(db)}).scalars()
    assert "attempts_begun_at" in "\n".join(plan)
