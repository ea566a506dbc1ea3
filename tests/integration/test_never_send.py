"""Nobody on the never-send list waits: neither after a retry, nor when the suppression passed a launch or a re-queue."""

from __future__ import annotations

import pytest
from people import add_devices, launch_to, phones, workspace
from placing import place_campaign, place_message, use_devices
from sqlalchemy import Connection, Engine, text

from services import control, doubts
from services.refused import Refused
from services.suppress import end_missed, suppress


def opt_out(db: Connection, message_id: int) -> int:
    phone = db.execute(text("SELECT phone FROM messages WHERE id = :id"), {"id": message_id}).scalar_one()
    return suppress(db, workspace(db), phone, reason="opt_out", proof="wrote STOP")


def status_of(db: Connection, table: str, row_id: int) -> str:
    return str(db.execute(text(f"SELECT status FROM {table} WHERE id = :id"), {"id": row_id}).scalar_one())


def test_a_retry_passes_over_them_and_opens_nothing_for_them_alone(db: Connection) -> None:
    (device,) = add_devices(db, 1)
    campaign = place_campaign(db, "failed")
    use_devices(db, campaign, device)
    out, other = (place_message(db, campaign, "failed", device_id=device, attempts=["not_sent"]) for _ in range(2))
    opt_out(db, out)
    opt_out(db, other)
    assert control.retry(db, campaign, who="dana") == 0
    assert status_of(db, "campaigns", campaign) == "failed"
    db.execute(
        text("DELETE FROM suppressions WHERE phone = (SELECT phone FROM messages WHERE id = :id)"), {"id": other}
    )
    assert control.retry(db, campaign, who="dana") == 1
    assert (status_of(db, "messages", out), status_of(db, "messages", other)) == ("failed", "queued")


def test_what_is_in_doubt_is_not_sent_again_to_them(db: Connection) -> None:
    (device,) = add_devices(db, 1)
    doubted = place_message(db, place_campaign(db, "partial"), "unknown", device_id=device, attempts=["unknown"])
    opt_out(db, doubted)
    with pytest.raises(Refused, match="never-send"):
        doubts.send_again(db, workspace(db), doubted, who="dana")
    assert status_of(db, "messages", doubted) == "unknown"


def test_a_launch_that_passed_the_suppression_ends_for_them(engine: Engine) -> None:
    (number,) = phones(1)
    with engine.begin() as db:
        add_devices(db, 1)
        here = workspace(db)
    with engine.connect() as one, engine.connect() as two:
        launching, suppressing = one.begin(), two.begin()
        launch_to(one, [number])
        assert suppress(two, here, number, reason="opt_out", proof="wrote STOP") == 0
        launching.commit()
        suppressing.commit()
    with engine.begin() as db:
        assert end_missed(db) == 1
        assert end_missed(db) == 0
        assert db.execute(text("SELECT status, error_code FROM messages")).one() == ("suppressed", "suppressed")
