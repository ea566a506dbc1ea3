"""What each device did for a campaign, and what happened to it when."""

from __future__ import annotations

from datetime import UTC, datetime

from people import add_devices, launch_to, phones, workspace
from placing import begin_next, place_campaign, place_message, use_devices
from sqlalchemy import Connection, text

from services import control, device_report, distribute, doubts, hand_over, timeline
from services.delete_device import delete_device


def test_every_device_accounts_for_its_people(db: Connection) -> None:
    gone, busy, idle = add_devices(db, 3)
    campaign = place_campaign(db)
    use_devices(db, campaign, gone, busy, idle)
    for status, outcomes in (
        ("queued", []),
        ("processing", ["begun"]),
        *(("sent", ["sent"]), ("delivered", ["delivered"]), ("read", ["read"])),
        *(("failed", ["not_sent"]), ("unknown", ["unknown"]), ("cancelled", []), ("suppressed", [])),
    ):
        place_message(db, campaign, status, device_id=busy, attempts=outcomes)
    place_message(db, campaign)
    place_message(db, campaign, "sent", device_id=gone, attempts=["sent"])
    place_message(db, place_campaign(db), "sent", device_id=idle, attempts=["sent"])
    delete_device(db, workspace(db), gone, confirmed=True, who="dana")
    db.execute(
        text("UPDATE devices SET can_send = false, strikes = 3, error_code = 'banned' WHERE id = :id"), {"id": idle}
    )
    hand_over.hand_over(db, campaign)

    lines = device_report.report(db, workspace(db), campaign)
    assert lines is not None
    figures = {
        line.name: (line.total, line.pending, line.sent, line.failed, line.unknown, line.cancelled, line.suppressed)
        for line in lines
    }
    assert figures == {
        "device2": (9, 2, 3, 1, 1, 1, 1),
        "device3": (0, 0, 0, 0, 0, 0, 0),
        None: (1, 1, 0, 0, 0, 0, 0),
        "device1": (1, 0, 1, 0, 0, 0, 0),
    }
    by_name = {line.name: line for line in lines}
    assert [line.name for line in lines if line.deleted] == ["device1"]
    assert by_name["device3"].out_reason == "WhatsApp has banned our phone"
    assert by_name["device3"].out_at is not None
    assert by_name["device2"].out_at is None
    assert device_report.report(db, workspace(db), 999) is None


def test_the_timeline_says_who_did_what_and_what_happened_by_itself(db: Connection) -> None:
    first, second = add_devices(db, 2)
    control.stop_all(db, workspace(db), who="before it")
    control.go(db, workspace(db), who="before it")
    campaign = launch_to(db, phones(3), title="November", who="dana").campaign_id
    distribute.distribute(db, campaign)
    assert begin_next(db, first) is not None
    control.stop_all(db, workspace(db), who="noa")
    control.go(db, workspace(db), who="noa")
    db.execute(
        text("UPDATE devices SET can_send = false, strikes = 3, error_code = 'banned' WHERE id = :id"), {"id": second}
    )
    hand_over.hand_over(db, campaign)
    other = place_campaign(db, "partial")
    control.pause(db, campaign, who="dana")
    doubted, elsewhere = (
        place_message(db, each, "unknown", device_id=first, attempts=["unknown"], name="Avi")
        for each in (campaign, other)
    )
    doubts.leave(db, workspace(db), doubted, who="dana")
    doubts.leave(db, workspace(db), elsewhere, who="dana")
    control.cancel(db, campaign, who="dana")

    happened = timeline.read(db, workspace(db), campaign)
    assert happened is not None
    assert [(each.what, each.who, each.name) for each in happened if each.what != "ended"] == [
        ("cancel", "dana", None),
        ("leave_unknown", "dana", "Avi"),
        ("pause", "dana", None),
        ("device_left", None, "device2"),
        ("go", "noa", None),
        ("stop_all", "noa", None),
        ("started", None, None),
        ("launch", "dana", None),
        ("created", None, None),
    ]
    ended = next(each for each in happened if each.what == "ended")
    assert ended.details == {"status": "cancelled"}
    left = next(each for each in happened if each.what == "device_left")
    assert left.reason == "WhatsApp has banned our phone"
    assert next(each for each in happened if each.what == "leave_unknown").message_id == doubted
    assert happened == sorted(happened, key=lambda each: each.at, reverse=True)
    assert timeline.read(db, workspace(db), 999) is None


def test_what_is_still_to_come_has_not_happened(db: Connection) -> None:
    add_devices(db, 1)
    at = datetime(2126, 11, 1, tzinfo=UTC)
    campaign = launch_to(db, phones(1), scheduled_at=at, who="dana").campaign_id
    happened = timeline.read(db, workspace(db), campaign)
    assert happened is not None
    assert {each.what for each in happened} == {"launch", "created"}
