"""Messages in doubt are decided once, by a person, whose name is written down; a receipt knows better than any of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from people import workspace
from placing import place_campaign, place_message, use_devices
from sqlalchemy import Connection, text

from services import control, doubts, receipts
from services.receipts import Incoming
from services.refused import Refused
from services.suppress import suppress

THEN = datetime(2026, 11, 1, 12, tzinfo=UTC)
LATER = THEN + timedelta(minutes=5)


@pytest.fixture
def campaign(db: Connection, device: int) -> int:
    campaign_id = place_campaign(db, "partial")
    use_devices(db, campaign_id, device)
    return campaign_id


def in_doubt(db: Connection, campaign: int | None, device: int, **more: Any) -> int:
    values = {"device_id": device, "attempts": ["unknown"], "error_code": "no_answer", "unknown_at": THEN, **more}
    return place_message(db, campaign, "unknown", **values)


def undecided(db: Connection, campaign: int) -> list[int]:
    rows = doubts.undecided(db, workspace(db), campaign)
    assert rows is not None
    return [row["id"] for row in rows]


def message(db: Connection, message_id: int) -> Any:
    return db.execute(text("SELECT * FROM messages WHERE id = :id"), {"id": message_id}).one()


def audited(db: Connection) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in db.execute(text("SELECT who, action, subject, details FROM audit ORDER BY id"))]


def test_what_is_left_is_off_the_list_and_a_receipt_still_raises_it(db: Connection, device: int, campaign: int) -> None:
    left, other = in_doubt(db, campaign, device), in_doubt(db, campaign, device)
    rows = doubts.undecided(db, workspace(db), campaign)
    assert rows is not None
    assert (rows[0]["reason"], rows[0]["device_name"]) == (
        "The connection to the bridge broke before it answered",
        "device1",
    )
    for _ in range(2):  # twice is once
        doubts.leave(db, workspace(db), left, who="dana")
    assert undecided(db, campaign) == [other]
    assert audited(db) == [("dana", "leave_unknown", f"message:{left}", {})]
    delivered = {"key": f"{left}.1", "message_id": "wa", "status": "delivered"}
    receipts.store(db, [Incoming("e1", "device1", "receipt", THEN, delivered)])
    receipts.apply(db)
    assert message(db, left).status == "delivered"


def test_whoever_left_one_may_still_send_it_again_and_is_asked_again_when_it_is_in_doubt_again(
    db: Connection, device: int, campaign: int
) -> None:
    doubted = in_doubt(db, campaign, device)
    doubts.leave(db, workspace(db), doubted, who="dana")
    db.execute(text("UPDATE devices SET stalled_s = 500"))
    doubts.send_again(db, workspace(db), doubted, who="noa")
    assert (message(db, doubted).status, message(db, doubted).stalled_base_s) == ("queued", 500)
    db.execute(text("UPDATE messages SET status = 'unknown', error_code = 'no_answer'"))
    assert undecided(db, campaign) == [doubted]


def test_a_retry_also_takes_the_decision_back(db: Connection, device: int, campaign: int) -> None:
    doubted = in_doubt(db, campaign, device)
    doubts.leave(db, workspace(db), doubted, who="dana")
    db.execute(text("UPDATE attempts SET outcome = 'not_sent', proof = 'receipt'"))
    assert control.retry(db, campaign, who="dana") == 1
    assert message(db, doubted).doubt_left_by is None


def test_all_that_somebody_saw_go_out_again_once(db: Connection, device: int, campaign: int) -> None:
    seen = [in_doubt(db, campaign, device) for _ in range(2)]
    later = in_doubt(db, campaign, device, unknown_at=LATER)
    never = in_doubt(db, campaign, device, phone="+972501234567")
    suppress(db, workspace(db), "+972501234567", reason="opt_out", proof="wrote STOP")
    left = in_doubt(db, campaign, device)
    doubts.leave(db, workspace(db), left, who="noa")
    proven = place_message(db, campaign, "unknown", device_id=device, attempts=["not_sent"], unknown_at=THEN)

    assert undecided(db, campaign) == [*seen, later]
    assert doubts.send_all_again(db, campaign, as_of=THEN, who="dana") == 2
    assert {message(db, each).status for each in seen} == {"queued"}
    assert {message(db, each).status for each in (later, never, left, proven)} == {"unknown"}
    assert db.execute(text("SELECT status FROM campaigns")).scalar_one() == "running"
    assert audited(db)[-1] == ("dana", "retry_unknown", f"campaign:{campaign}", {"count": 2})

    # They went out, and are in doubt again: the same decision does not send them a third time.
    db.execute(text("UPDATE messages SET status = 'unknown', error_code = 'no_answer' WHERE status = 'queued'"))
    before = audited(db)
    assert doubts.send_all_again(db, campaign, as_of=THEN, who="dana") == 0
    assert audited(db) == before


def test_all_that_somebody_saw_are_left_once(db: Connection, device: int, campaign: int) -> None:
    for _ in range(3):
        in_doubt(db, campaign, device)
    later = in_doubt(db, campaign, device, unknown_at=LATER)
    assert doubts.leave_all(db, campaign, as_of=THEN, who="dana") == 3
    assert doubts.leave_all(db, campaign, as_of=THEN, who="dana") == 0
    assert undecided(db, campaign) == [later]
    assert audited(db) == [("dana", "leave_unknown", f"campaign:{campaign}", {"count": 3})]
    assert db.execute(text("SELECT status FROM campaigns")).scalar_one() == "partial"


def test_what_cannot_be_decided(db: Connection, device: int, campaign: int) -> None:
    sent = place_message(db, campaign, "sent", device_id=device, attempts=["sent"])
    for message_id, code in ((sent, "NOT_POSSIBLE"), (999, "NOT_FOUND")):
        with pytest.raises(Refused) as refused:
            doubts.leave(db, workspace(db), message_id, who="dana")
        assert refused.value.code == code
    cancelled = place_campaign(db, "cancelled")
    in_doubt(db, cancelled, device)
    with pytest.raises(Refused, match="was cancelled"):
        doubts.send_all_again(db, cancelled, as_of=THEN, who="dana")
    assert doubts.leave_all(db, cancelled, as_of=THEN, who="dana") == 1
    assert doubts.undecided(db, workspace(db), 999) is None


def test_what_its_phone_cannot_send_is_not_promised(db: Connection, device: int, campaign: int) -> None:
    """While an attempt is in doubt it cannot go to another device, so it would only be in doubt again."""
    doubtful = in_doubt(db, campaign, device)
    db.execute(text("UPDATE devices SET can_send = false, name = 'KL Sales 3' WHERE id = :id"), {"id": device})
    with pytest.raises(Refused, match="KL Sales 3, which this was sent from, cannot send"):
        doubts.send_again(db, workspace(db), doubtful, who="dana")
    assert message(db, doubtful).status == "unknown"
    db.execute(text("UPDATE devices SET can_send = true WHERE id = :id"), {"id": device})
    doubts.send_again(db, workspace(db), doubtful, who="dana")
    assert message(db, doubtful).status == "queued"
