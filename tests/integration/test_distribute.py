"""Recipients over devices: spread in proportion to speed, once, and handed over when a phone fails (R17, R25)."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from people import add_devices, launch_to, phones
from placing import begin_next, place_campaign, place_message, use_devices
from sqlalchemy import Connection, Engine, text

from db.engine import run
from services import distribute, trouble
from services import hand_over as handing
from services.hand_over import HandedOver, let_back


def dealt(db: Connection, campaign_id: int) -> dict[int | None, int]:
    rows = db.execute(text("SELECT device_id FROM messages WHERE campaign_id = :id"), {"id": campaign_id})
    return dict(Counter(rows.scalars()))


def status_of(db: Connection, campaign_id: int) -> tuple[str, str | None]:
    row = db.execute(text("SELECT status, pause_reason FROM campaigns WHERE id = :id"), {"id": campaign_id}).one()
    return row.status, row.pause_reason


def strike_out(db: Connection, device_id: int) -> None:
    for _ in range(trouble.STRIKES_OUT):
        trouble.strike(db, device_id, "not_connected", "gone")


def test_faster_phones_get_more_and_all_get_them_evenly(db: Connection) -> None:
    (slow,) = add_devices(db, 1, gap_s=2.0, name="slow")
    (fast,) = add_devices(db, 1, gap_s=0.5, name="fast")
    (asleep,) = add_devices(db, 1, can_send=False, name="asleep")
    launched = launch_to(db, phones(100), device_ids=[slow, fast, asleep])
    assert distribute.distribute(db, launched.campaign_id) == 100
    assert dealt(db, launched.campaign_id) == {slow: 20, fast: 80}
    assert status_of(db, launched.campaign_id) == ("queued", None)
    first_fifty = db.execute(text("SELECT device_id FROM messages ORDER BY id LIMIT 50")).scalars()
    assert Counter(first_fifty)[slow] == 10


def test_when_no_phone_can_send_at_present_they_wait_on_all_of_them(db: Connection) -> None:
    trouble.bridge_away(db, "default", "bridge_unreachable", "refused")
    first, second = add_devices(db, 2, can_send=False)
    launched = launch_to(db, phones(10))
    assert distribute.distribute(db, launched.campaign_id) == 10
    assert dealt(db, launched.campaign_id) == {first: 5, second: 5}


def test_again_changes_nothing(db: Connection) -> None:
    add_devices(db, 2)
    launched = launch_to(db, phones(10))
    distribute.distribute(db, launched.campaign_id)
    before = dealt(db, launched.campaign_id)
    add_devices(db, 2, name="late")
    assert distribute.distribute(db, launched.campaign_id) is None
    assert dealt(db, launched.campaign_id) == before
    assert distribute.distribute(db, 999) is None


def test_two_at_once_deal_once(engine: Engine) -> None:
    with engine.begin() as db:
        add_devices(db, 3)
        launched = launch_to(db, phones(500))
    together = Barrier(4)

    def one(_number: int) -> int | None:
        together.wait(30)
        return run(engine, lambda db: distribute.distribute(db, launched.campaign_id))

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(one, range(4)))
    assert Counter(answers) == {500: 1, None: 3}
    with engine.begin() as db:
        assert sorted(dealt(db, launched.campaign_id).values()) == [166, 167, 167]


def hand_over(db: Connection) -> list[HandedOver]:
    """Every campaign's hand-over, as the round does it."""
    return [done for id in handing.struck_campaigns(db) for done in handing.hand_over(db, id)]


def test_a_phone_with_three_errors_leaves_and_others_take_its_messages(db: Connection) -> None:
    out, able, other = add_devices(db, 3)
    campaign_id = place_campaign(db)
    use_devices(db, campaign_id, out, able, other)
    fresh = [place_message(db, campaign_id, device_id=out) for _ in range(4)]
    proven = place_message(db, campaign_id, device_id=out, attempts=["not_sent"])
    doubted = place_message(db, campaign_id, device_id=out, attempts=["unknown"])
    sent = place_message(db, campaign_id, "sent", device_id=out, attempts=["sent"])
    for _ in range(2):
        trouble.strike(db, out, "not_connected", "gone")
        assert hand_over(db) == []
    trouble.strike(db, out, "not_connected", "gone")
    assert hand_over(db) == [HandedOver(campaign_id, out, moved=5, paused=False)]
    where = {row.id: row.device_id for row in db.execute(text("SELECT id, device_id FROM messages"))}
    assert {where[id] for id in [*fresh, proven]} == {able, other}
    assert (where[doubted], where[sent]) == (out, out)
    # It may not change its phone, and its phone may never come back: a person decides again.
    status = text("SELECT status FROM messages WHERE id = :id")
    assert db.execute(status, {"id": doubted}).scalar_one() == "unknown"
    code = db.execute(text("SELECT out_code FROM campaign_devices WHERE device_id = :id"), {"id": out}).scalar_one()
    assert code == "not_connected"
    assert status_of(db, campaign_id) == ("running", None)
    assert hand_over(db) == []


def test_a_message_that_is_proven_later_is_handed_over_then(db: Connection) -> None:
    out, able = add_devices(db, 2)
    campaign_id = place_campaign(db)
    use_devices(db, campaign_id, out, able)
    held = place_message(db, campaign_id, "processing", device_id=out, attempts=["begun"])
    strike_out(db, out)
    assert hand_over(db) == [HandedOver(campaign_id, out, moved=0, paused=False)]
    db.execute(text("UPDATE attempts SET outcome = 'not_sent', proof = 'closed'"))
    db.execute(text("UPDATE messages SET status = 'queued', slot = NULL WHERE id = :id"), {"id": held})
    assert hand_over(db) == [HandedOver(campaign_id, out, moved=1, paused=False)]
    assert hand_over(db) == []
    assert begin_next(db, able) is not None


@pytest.mark.parametrize("status", ["queued", "running"])
def test_when_no_phone_is_left_the_campaign_pauses_until_one_is_back(db: Connection, status: str) -> None:
    first, second = add_devices(db, 2)
    campaign_id = place_campaign(db, status)
    use_devices(db, campaign_id, first, second)
    for device_id in (first, first, second):
        place_message(db, campaign_id, device_id=device_id)
    strike_out(db, first)
    strike_out(db, second)
    hand_over(db)
    assert status_of(db, campaign_id) == ("paused", "no_device")
    db.execute(text("UPDATE devices SET can_send = true WHERE id = :id"), {"id": second})
    assert let_back(db, [second]) == [campaign_id]
    assert status_of(db, campaign_id) == ("running", None)
    # What the other one still held is not left to wait for it.
    hand_over(db)
    assert dealt(db, campaign_id) == {second: 3}


def test_a_phone_that_is_back_goes_on_and_an_operators_pause_stays(db: Connection) -> None:
    back, other = add_devices(db, 2)
    running, paused, over = place_campaign(db), place_campaign(db, "paused"), place_campaign(db, "partial")
    for campaign_id in (running, paused, over):
        use_devices(db, campaign_id, back, other)
    db.execute(text("UPDATE campaign_devices SET out_at = clock_timestamp(), out_code = 'banned'"))
    assert let_back(db, []) == []
    assert let_back(db, [back]) == []
    inside = db.execute(
        text("SELECT campaign_id, device_id FROM campaign_devices WHERE out_at IS NULL ORDER BY campaign_id")
    ).all()
    assert [tuple(row) for row in inside] == [(running, back), (paused, back)]
    assert status_of(db, paused) == ("paused", "operator")


def test_a_bridge_that_is_away_takes_no_phone_out(db: Connection) -> None:
    first, second = add_devices(db, 2)
    campaign_id = place_campaign(db)
    use_devices(db, campaign_id, first, second)
    place_message(db, campaign_id, device_id=first)
    for _ in range(5):
        db.execute(text("UPDATE bridges SET next_probe_at = clock_timestamp()"))
        trouble.bridge_away(db, "default", "bridge_unreachable", "refused")
    assert hand_over(db) == []
    assert begin_next(db, first) is None
    assert dealt(db, campaign_id) == {first: 1}


def test_a_phone_at_its_daily_cap_gets_nothing_while_others_have_room(db: Connection) -> None:
    spent, fresh, unlimited = add_devices(db, 3, gap_s=1)
    db.execute(text("UPDATE devices SET daily_cap = 200 WHERE id IN (:a, :b)"), {"a": spent, "b": fresh})
    db.execute(text("UPDATE devices SET day = current_date, day_count = 200 WHERE id = :id"), {"id": spent})
    launched = launch_to(db, phones(1000))
    distribute.distribute(db, launched.campaign_id)
    counts = dealt(db, launched.campaign_id)
    assert spent not in counts
    # 200 a day is one in 432 s, against one a second
    assert (counts[fresh], counts[unlimited]) == (2, 998)


def test_when_all_phones_are_at_their_cap_they_wait_for_the_morning_together(db: Connection) -> None:
    add_devices(db, 2, gap_s=1)
    db.execute(text("UPDATE devices SET daily_cap = 200, day = current_date, day_count = 200"))
    launched = launch_to(db, phones(10))
    distribute.distribute(db, launched.campaign_id)
    assert sorted(dealt(db, launched.campaign_id).values()) == [5, 5]
