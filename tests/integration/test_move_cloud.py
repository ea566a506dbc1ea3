"""Messages of official numbers move only to where they can be sent: by hand-over, by a person, by a retry (R28)."""

from __future__ import annotations

import pytest
from cloud_content import HELLO, asked, put_template, wrote
from cloud_numbers import add_numbers
from people import workspace
from placing import begin_next, place_campaign, place_message, use_devices
from psycopg2.extras import Json
from sqlalchemy import Connection, text

from services import distribute, hand_over, trouble
from services.hand_over import HandedOver, let_back
from services.move_waiting import Moved, move_waiting
from services.refused import Refused

STORED = Json({**asked(), "components": HELLO})


def device_of(db: Connection, message_id: int) -> int:
    return int(db.execute(text("SELECT device_id FROM messages WHERE id = :id"), {"id": message_id}).scalar_one())


def phone_of(db: Connection, message_id: int) -> str:
    return str(db.execute(text("SELECT phone FROM messages WHERE id = :id"), {"id": message_id}).scalar_one())


def strike_out(db: Connection, device_id: int) -> None:
    """A look calls it able each time, and each time it is not."""
    for _ in range(trouble.STRIKES_OUT):
        db.execute(text("UPDATE devices SET can_send = true WHERE id = :id"), {"id": device_id})
        trouble.strike(db, device_id, "not_connected", "gone")


def round_of(db: Connection) -> list[HandedOver]:
    return [done for id in hand_over.struck_campaigns(db) for done in hand_over.hand_over(db, id)]


def test_a_template_is_handed_over_only_where_it_is_approved(db: Connection) -> None:
    out, able = add_numbers(db, 2)
    (without,) = add_numbers(db, 1, business_id="without", name="without")
    (paused,) = add_numbers(db, 1, business_id="paused", name="paused")
    put_template(db)
    put_template(db, language="he", business_id="without")
    put_template(db, status="PAUSED", business_id="paused")
    campaign_id = place_campaign(db, template=STORED)
    use_devices(db, campaign_id, out, able, without, paused)
    waiting = [place_message(db, campaign_id, device_id=out) for _ in range(4)]
    wrote(db, without, [phone_of(db, id) for id in waiting])  # which is no template
    strike_out(db, out)
    assert round_of(db) == [HandedOver(campaign_id, out, moved=4, paused=False)]
    assert {device_of(db, id) for id in waiting} == {able}


def test_where_no_other_can_send_it_a_template_waits_for_its_number(db: Connection) -> None:
    (out,), (other,) = add_numbers(db, 1), add_numbers(db, 1, business_id="without", name="other")
    put_template(db)
    put_template(db, status="PAUSED", business_id="without")
    campaign_id = place_campaign(db, template=STORED)
    use_devices(db, campaign_id, out, other)
    message = place_message(db, campaign_id, device_id=out)
    strike_out(db, out)
    assert round_of(db) == [HandedOver(campaign_id, out, moved=0, paused=False)]
    place_message(db, campaign_id, device_id=out, attempts=["not_sent"])
    assert round_of(db) == []  # it is not looked at each time
    doubted = place_message(db, campaign_id, device_id=out, attempts=["unknown"])
    assert round_of(db) == [HandedOver(campaign_id, out, moved=0, paused=False)]
    assert db.execute(text("SELECT status FROM messages WHERE id = :id"), {"id": doubted}).scalar_one() == "unknown"
    assert device_of(db, message) == out
    db.execute(text("UPDATE devices SET can_send = true WHERE id = :id"), {"id": out})
    let_back(db, [out])
    begun = begin_next(db, out)
    assert begun is not None
    assert begun.message_id == message


def test_free_text_is_handed_over_only_into_an_open_window(db: Connection) -> None:
    out, first, second = add_numbers(db, 3)
    campaign_id = place_campaign(db)
    use_devices(db, campaign_id, out, first, second)
    to_first, to_second, to_both, to_nobody, closed = (place_message(db, campaign_id, device_id=out) for _ in range(5))
    wrote(db, first, [phone_of(db, to_first), phone_of(db, to_both)])
    wrote(db, second, [phone_of(db, to_second), phone_of(db, to_both)])
    wrote(db, first, [phone_of(db, closed)], hours_ago=25)
    strike_out(db, out)
    assert round_of(db) == [HandedOver(campaign_id, out, moved=3, paused=False)]
    assert [device_of(db, id) for id in (to_first, to_second, to_nobody, closed)] == [first, second, out, out]
    assert device_of(db, to_both) in (first, second)
    assert round_of(db) == []
    wrote(db, second, [phone_of(db, to_nobody)])
    assert round_of(db) == [HandedOver(campaign_id, out, moved=1, paused=False)]
    assert device_of(db, to_nobody) == second


def test_a_person_moves_only_what_others_can_send(db: Connection) -> None:
    going, able = add_numbers(db, 2)
    (without,) = add_numbers(db, 1, business_id="without", name="without")
    put_template(db)
    put_template(db, "bye", business_id="without")
    campaign_id = place_campaign(db, template=STORED)
    use_devices(db, campaign_id, going)
    of_campaign = place_message(db, campaign_id, device_id=going)
    by_hello = place_message(db, None, device_id=going, template=STORED)
    by_bye = place_message(db, None, device_id=going, template=Json({**asked("bye"), "components": HELLO}))
    free, closed = (place_message(db, None, device_id=going) for _ in range(2))
    wrote(db, without, [phone_of(db, free)])
    assert move_waiting(db, workspace(db), going, who="dana") == Moved(moved=4, left=1)
    assert [device_of(db, id) for id in (of_campaign, by_hello, by_bye, free, closed)] == [
        able,
        able,
        without,
        without,
        going,
    ]
    # Of its new numbers a campaign has those that got something.
    inside = db.execute(
        text("SELECT device_id FROM campaign_devices WHERE campaign_id = :id ORDER BY 1"), {"id": campaign_id}
    )
    assert inside.scalars().all() == [going, able]
    db.execute(text("DELETE FROM conversations"))
    with pytest.raises(Refused, match="Nothing can move"):
        move_waiting(db, workspace(db), going, who="dana")


def test_what_is_dealt_anew_goes_where_its_template_is_approved_or_to_anybody(db: Connection) -> None:
    first, second = add_numbers(db, 2)
    (without,) = add_numbers(db, 1, business_id="without", name="without")
    put_template(db)
    campaign_id = place_campaign(db, template=STORED)
    use_devices(db, campaign_id, first, second, without)
    for _ in range(4):
        place_message(db, campaign_id)
    assert distribute.deal_waiting(db, campaign_id) == 4
    dealt = text("SELECT device_id, count(*) FROM messages GROUP BY 1 ORDER BY 1")
    assert [tuple(row) for row in db.execute(dealt)] == [(first, 2), (second, 2)]
    put_template(db, status="PAUSED")
    for _ in range(3):
        place_message(db, campaign_id)
    assert distribute.deal_waiting(db, campaign_id) == 3  # Meta says why not, and nobody is lost
    assert db.execute(text("SELECT count(*) FROM messages WHERE device_id IS NULL")).scalar_one() == 0


def test_a_hundred_thousand_by_template_are_dealt_evenly(db: Connection) -> None:
    add_numbers(db, 3)
    put_template(db)
    campaign_id = place_campaign(db, template=STORED)
    use_devices(db, campaign_id, *db.execute(text("SELECT id FROM devices")).scalars())
    db.execute(
        text(
            "INSERT INTO messages (workspace_id, campaign_id, origin, phone)"
            " SELECT :here, :id, 'campaign', '+9725' || (10000000 + n) FROM generate_series(1, 100000) n"
        ),
        {"here": workspace(db), "id": campaign_id},
    )
    assert distribute.deal_waiting(db, campaign_id) == 100_000
    counts = db.execute(text("SELECT count(*) FROM messages GROUP BY device_id ORDER BY 1")).scalars().all()
    assert counts == [33_333, 33_333, 33_334]
