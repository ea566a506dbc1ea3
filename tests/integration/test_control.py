"""What an operator can do: each is possible in the states where it makes sense, and leaves its audit row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from people import add_devices, launch_to, phones, workspace
from placing import begin_next, place_campaign, place_message, use_devices
from sqlalchemy import Connection, text

from domain.status import CampaignStatus
from services import aggregate, control, distribute, doubts, hand_over
from services.refused import Refused
from services.suppress import suppress

ACTIONS: dict[str, Callable[[Connection, int], object]] = {
    "pause": lambda db, id: control.pause(db, id, who="dana"),
    "resume": lambda db, id: control.resume(db, id, who="dana"),
    "cancel": lambda db, id: control.cancel(db, id, who="dana"),
    "retry": lambda db, id: control.retry(db, id, who="dana"),
}
POSSIBLE = {
    "pause": {"accepted", "queued", "running", "paused"},
    "resume": {"running", "paused"},
    "cancel": {"draft", "scheduled", "accepted", "queued", "running", "paused", "cancelled"},
    "retry": {"queued", "running", "paused", "partial", "failed"},
}


def campaign(db: Connection, campaign_id: int) -> Any:
    return db.execute(text("SELECT * FROM campaigns WHERE id = :id"), {"id": campaign_id}).one()


def status_of(db: Connection, message_id: int) -> str:
    return str(db.execute(text("SELECT status FROM messages WHERE id = :id"), {"id": message_id}).scalar_one())


def audited(db: Connection) -> list[tuple[str, str, str]]:
    rows = db.execute(text("SELECT who, action, subject FROM audit WHERE action <> 'launch' ORDER BY id"))
    return [(row.who, row.action, row.subject) for row in rows]


def refusal(db: Connection, action: str, campaign_id: int) -> Refused | None:
    """How an action is refused, or None; nothing of it stays."""
    step = db.begin_nested()
    try:
        ACTIONS[action](db, campaign_id)
    except Refused as refused:
        return refused
    finally:
        step.rollback()
    return None


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_is_possible_where_it_makes_sense_and_refused_elsewhere(db: Connection, action: str) -> None:
    possible = set()
    for status in CampaignStatus:
        campaign_id = place_campaign(db, status)
        against = refusal(db, action, campaign_id)
        if against is None:
            possible.add(str(status))
        else:
            assert against.code == "NOT_POSSIBLE"
            assert str(status) in against.message
    assert possible == POSSIBLE[action]


@pytest.mark.parametrize("action", ACTIONS)
def test_a_broadcast_that_is_not_there_is_not_found(db: Connection, action: str) -> None:
    against = refusal(db, action, 999)
    assert against is not None
    assert against.code == "NOT_FOUND"


@pytest.mark.parametrize("status", ["accepted", "queued", "running"])
def test_pausing_stops_what_comes_and_resuming_goes_on(db: Connection, device: int, status: str) -> None:
    launched = launch_to(db, phones(4))
    if status != "accepted":
        distribute.distribute(db, launched.campaign_id)
    if status == "running":
        assert begin_next(db, device) is not None
    control.pause(db, launched.campaign_id, who="dana")
    paused = campaign(db, launched.campaign_id)
    assert (paused.status, paused.pause_reason) == ("paused", "operator")
    assert begin_next(db, device, slot=0) is None
    control.resume(db, launched.campaign_id, who="noa")
    assert campaign(db, launched.campaign_id).status == "running"
    db.execute(text("UPDATE messages SET slot = NULL, status = 'sent' WHERE status = 'processing'"))
    assert begin_next(db, device) is not None
    subject = f"campaign:{launched.campaign_id}"
    assert audited(db) == [("dana", "pause", subject), ("noa", "resume", subject)]


def test_an_operators_pause_replaces_the_machines(db: Connection) -> None:
    campaign_id = place_campaign(db, "paused", pause_reason="no_device")
    control.pause(db, campaign_id, who="dana")
    assert campaign(db, campaign_id).pause_reason == "operator"


def test_a_pause_uses_up_nobodys_window(db: Connection, device: int) -> None:
    campaign_id = place_campaign(db, "paused")
    message_id = place_message(db, campaign_id, device_id=device)
    db.execute(text("UPDATE devices SET stalled_s = 500"))
    control.resume(db, campaign_id, who="dana")
    base = text("SELECT stalled_base_s FROM messages WHERE id = :id")
    assert db.execute(base, {"id": message_id}).scalar_one() == 500


def test_cancelling_ends_who_waits_and_nobody_else(db: Connection, device: int) -> None:
    campaign_id = place_campaign(db)
    waiting = [place_message(db, campaign_id, device_id=device) for _ in range(3)]
    held = place_message(db, campaign_id, "processing", device_id=device, attempts=["begun"])
    sent = place_message(db, campaign_id, "sent", device_id=device, attempts=["sent"])
    assert control.cancel(db, campaign_id, who="dana") == 3
    assert {status_of(db, id) for id in waiting} == {"cancelled"}
    assert (status_of(db, held), status_of(db, sent)) == ("processing", "sent")
    assert control.cancel(db, campaign_id, who="dana") == 0
    assert audited(db) == [("dana", "cancel", f"campaign:{campaign_id}")]
    details = db.execute(text("SELECT details FROM audit WHERE action = 'cancel'")).scalar_one()
    assert details == {"waiting": 3}


def failures(db: Connection, device: int, status: str = "partial") -> tuple[int, dict[str, int]]:
    """An ended campaign with a message of each kind."""
    campaign_id = place_campaign(db, status)
    use_devices(db, campaign_id, device)
    return campaign_id, {
        "offline": place_message(
            db, campaign_id, "failed", device_id=device, attempts=["not_sent"], error_code="not_connected"
        ),
        "expired": place_message(db, campaign_id, "failed", device_id=device, error_code="expired"),
        "doubted": place_message(db, campaign_id, "unknown", device_id=device, attempts=["unknown"]),
        "settled": place_message(
            db, campaign_id, "unknown", device_id=device, attempts=["not_sent"], error_code="not_sent_after_all"
        ),
        "sent": place_message(db, campaign_id, "sent", device_id=device, attempts=["sent"]),
    }


@pytest.mark.parametrize("status", ["partial", "failed"])
def test_retrying_queues_everybody_who_is_proven_not_sent(db: Connection, device: int, status: str) -> None:
    campaign_id, ids = failures(db, device, status)
    db.execute(text("UPDATE messages SET attempts_used = 3"))
    db.execute(text("UPDATE devices SET stalled_s = 99"))
    assert control.retry(db, campaign_id, who="dana") == 3
    assert {name: status_of(db, id) for name, id in ids.items()} == {
        **{"offline": "queued", "expired": "queued", "settled": "queued"},
        **{"doubted": "unknown", "sent": "sent"},
    }
    fresh = db.execute(
        text(
            "SELECT DISTINCT attempts_used, error_code, stalled_base_s, requeued_by IS NOT NULL"
            " FROM messages WHERE status = 'queued'"
        )
    ).one()
    assert tuple(fresh) == (0, None, 99, True)
    reopened = campaign(db, campaign_id)
    assert (reopened.status, reopened.finished_at) == ("running", None)
    assert (
        db.execute(text("SELECT action FROM audit WHERE id = :id"), {"id": reopened.reopened_by}).scalar_one()
        == "retry"
    )
    assert begin_next(db, device) is not None


def test_retrying_by_code_leaves_the_others(db: Connection, device: int) -> None:
    campaign_id, ids = failures(db, device)
    assert control.retry(db, campaign_id, who="dana", codes=["expired", "banned"]) == 1
    assert status_of(db, ids["expired"]) == "queued"
    assert status_of(db, ids["offline"]) == "failed"


def test_nobody_to_retry_reopens_nothing(db: Connection, device: int) -> None:
    campaign_id, _ = failures(db, device)
    assert control.retry(db, campaign_id, who="dana", codes=["banned"]) == 0
    assert campaign(db, campaign_id).status == "partial"


def test_a_retried_campaign_ends_again(db: Connection, device: int) -> None:
    campaign_id, _ = failures(db, device)
    control.retry(db, campaign_id, who="dana")
    assert aggregate.aggregate(db, campaign_id).status == "running"
    for _ in range(3):
        assert begin_next(db, device) is not None
        db.execute(text("UPDATE messages SET slot = NULL, status = 'sent' WHERE status = 'processing'"))
    progress = aggregate.aggregate(db, campaign_id)
    assert (progress.status, progress.counts) == ("partial", {"sent": 4, "unknown": 1})


def test_a_retried_message_of_a_phone_that_was_taken_out_is_sent_by_whoever_can(db: Connection) -> None:
    out, able = add_devices(db, 2)
    db.execute(text("UPDATE devices SET can_send = false, strikes = 3 WHERE id = :id"), {"id": out})
    campaign_id, ids = failures(db, out)
    use_devices(db, campaign_id, able)
    db.execute(text("UPDATE campaign_devices SET out_at = clock_timestamp() WHERE device_id = :id"), {"id": out})
    assert control.retry(db, campaign_id, who="dana") == 3
    hand_over.hand_over(db, campaign_id)
    begun = begin_next(db, able)
    assert begun is not None
    assert begun.message_id == ids["offline"]


def test_a_phone_that_came_back_after_the_end_sends_what_is_retried(db: Connection, device: int) -> None:
    campaign_id, _ = failures(db, device)
    db.execute(text("UPDATE campaign_devices SET out_at = clock_timestamp(), out_code = 'not_connected'"))
    assert control.retry(db, campaign_id, who="dana") == 3
    assert begin_next(db, device) is not None


def test_a_message_in_doubt_is_queued_by_a_persons_decision(db: Connection, device: int) -> None:
    campaign_id, ids = failures(db, device)
    doubts.send_again(db, workspace(db), ids["doubted"], who="dana")
    assert status_of(db, ids["doubted"]) == "queued"
    assert campaign(db, campaign_id).status == "running"
    assert audited(db) == [("dana", "retry_unknown", f"message:{ids['doubted']}")]
    single = place_message(db, None, "unknown", device_id=device, attempts=["unknown"])
    doubts.send_again(db, workspace(db), single, who="dana")
    assert status_of(db, single) == "queued"


def test_a_decision_is_for_messages_in_doubt_alone(db: Connection, device: int) -> None:
    _, ids = failures(db, device)
    cancelled = place_message(db, place_campaign(db, "cancelled"), "unknown", device_id=device, attempts=["unknown"])
    for message_id in (ids["offline"], ids["sent"], cancelled, 999):
        with pytest.raises(Refused, match=r"not in doubt|was cancelled|no message"):
            doubts.send_again(db, workspace(db), message_id, who="dana")
    assert audited(db) == []


def test_one_switch_stops_all_sending_of_the_workspace(db: Connection, device: int) -> None:
    launched = launch_to(db, phones(2))
    distribute.distribute(db, launched.campaign_id)
    place_message(db, None, device_id=device)
    here = workspace(db)
    stopped_at = text("SELECT sending_stopped_at FROM workspaces")
    control.stop_all(db, here, who="dana")
    first = db.execute(stopped_at).scalar_one()
    control.stop_all(db, here, who="noa")
    assert db.execute(stopped_at).scalar_one() == first
    assert begin_next(db, device) is None
    db.execute(text("UPDATE devices SET stalled_s = 500"))
    control.go(db, here, who="dana")
    assert db.execute(text("SELECT DISTINCT stalled_base_s FROM messages")).scalar_one() == 500
    assert begin_next(db, device) is not None
    assert [action for _, action, _ in audited(db)] == ["stop_all", "stop_all", "go"]


def test_a_suppressed_person_is_not_sent_to_by_any_campaign(db: Connection, device: int) -> None:
    here, phone = workspace(db), "+972501234567"
    waiting = [place_message(db, place_campaign(db), device_id=device, phone=phone) for _ in range(2)]
    held = place_message(db, place_campaign(db), "processing", device_id=device, attempts=["begun"], phone=phone)
    other = place_message(db, place_campaign(db), device_id=device)
    assert suppress(db, here, phone, reason="opt_out", proof="wrote STOP") == 2
    assert suppress(db, here, phone, reason="by_hand", proof="again") == 0
    assert {status_of(db, id) for id in waiting} == {"suppressed"}
    assert (status_of(db, held), status_of(db, other)) == ("processing", "queued")
    assert tuple(db.execute(text("SELECT reason, proof FROM suppressions")).one()) == ("opt_out", "wrote STOP")


def test_a_person_who_is_on_the_list_is_passed_over_at_the_last_moment(db: Connection, device: int) -> None:
    campaign_id = place_campaign(db, "queued")
    use_devices(db, campaign_id, device)
    place_message(db, campaign_id, device_id=device, phone="+972501234567")
    place_message(db, None, device_id=device, phone="+972501234567")
    next_one = place_message(db, campaign_id, device_id=device)
    db.execute(
        text(
            "INSERT INTO suppressions (workspace_id, phone, reason, proof) VALUES (:w, '+972501234567', 'by_hand', 'raw')"
        ),
        {"w": workspace(db)},
    )
    begun = begin_next(db, device)
    assert begun is not None
    assert begun.message_id == next_one
