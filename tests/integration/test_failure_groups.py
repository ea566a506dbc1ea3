"""Failures by reason: what is safe to retry is what a retry queues, and nothing in doubt is among it."""

from __future__ import annotations

from people import add_devices, workspace
from placing import place_campaign, place_message, use_devices
from sqlalchemy import Connection, text

from services import control, failure_groups
from services.delete_device import delete_device
from services.failure_groups import FailureReport
from services.suppress import suppress


def report(db: Connection, campaign_id: int) -> FailureReport:
    found = failure_groups.report(db, workspace(db), campaign_id)
    assert found is not None
    return found


def shown(found: FailureReport) -> list[tuple[str, str, int, int, int]]:
    return [(group.code, group.verdict, group.count, group.retryable, group.undecided) for group in found.groups]


def test_each_reason_says_what_can_be_done_and_the_retry_does_it(db: Connection, device: int) -> None:
    campaign = place_campaign(db, "partial")
    use_devices(db, campaign, device)

    def place(count: int, code: str, status: str = "failed", outcome: str = "not_sent", **more: str) -> None:
        for _ in range(count):
            place_message(db, campaign, status, device_id=device, attempts=[outcome], error_code=code, **more)

    place(3, "not_on_whatsapp")
    place(2, "not_connected")
    place(1, "not_connected", phone="+972501234567")
    suppress(db, workspace(db), "+972501234567", reason="opt_out", proof="wrote STOP")
    place(2, "outcome_unknown", "unknown", "unknown")
    place(1, "outcome_unknown", "unknown", "unknown", phone="+972501234568")
    suppress(db, workspace(db), "+972501234568", reason="opt_out", proof="wrote STOP")
    place(1, "not_sent_after_all", "unknown")
    place_message(db, campaign, "sent", device_id=device, attempts=["sent"])

    found = report(db, campaign)
    assert shown(found) == [
        ("not_connected", "safe", 3, 2, 0),
        ("not_on_whatsapp", "hopeless", 3, 3, 0),
        ("outcome_unknown", "doubt", 3, 0, 2),
        ("not_sent_after_all", "safe", 1, 1, 0),
    ]
    assert (found.safe_count, found.undecided_count) == (3, 2)
    assert found.groups[0].reason == "Our phone was not connected to WhatsApp"
    assert found.groups[1].advice.startswith("Do not retry")
    assert found.groups[2].advice.startswith("Do not retry yet: it may have arrived")
    assert control.retry(db, campaign, who="dana", codes=["not_on_whatsapp"]) == 3
    assert control.retry(db, campaign, who="dana") == 3
    assert report(db, campaign).safe_count == 0


def test_those_of_a_deleted_phone_are_counted_still(db: Connection) -> None:
    gone, stays = add_devices(db, 2)
    campaign = place_campaign(db, "partial")
    use_devices(db, campaign, gone, stays)
    for status, outcome in (("failed", "not_sent"), ("unknown", "unknown"), ("sent", "sent")):
        place_message(db, campaign, status, device_id=gone, attempts=[outcome])
    delete_device(db, workspace(db), gone, confirmed=True, who="dana")
    assert shown(report(db, campaign)) == [("device_deleted", "hopeless", 2, 0, 0)]


def test_a_campaign_without_failures_and_none(db: Connection) -> None:
    assert report(db, place_campaign(db)).groups == []
    assert failure_groups.report(db, workspace(db), 999) is None
    other = place_campaign(db)
    db.execute(text("INSERT INTO workspaces (name, default_country, time_zone) VALUES ('other', 'IL', 'UTC')"))
    db.execute(
        text("UPDATE campaigns SET workspace_id = (SELECT max(id) FROM workspaces) WHERE id = :id"), {"id": other}
    )
    assert failure_groups.report(db, workspace(db), other) is None
