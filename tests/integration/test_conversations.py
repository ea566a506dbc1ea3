"""Who may be written to freely, and who wants no more: what inbound messages and preferences leave behind."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from cloud_numbers import add_numbers
from people import add_devices, workspace
from placing import place_campaign, place_message
from sqlalchemy import Connection, text

from services import conversations

DANA, NOA = "+972501234567", "+972507654321"


def now(db: Connection) -> datetime:
    at: datetime = db.execute(text("SELECT date_trunc('second', clock_timestamp())")).scalar_one()
    return at


def wrote(db: Connection, phone: Any = DANA, *, session: str = "number1", ago_s: float = 0, kind: Any = "text") -> Any:
    data = {"message_id": "wamid", "from": phone, "name": None, "kind": kind, "text": "Hi", "media": None}
    return SimpleNamespace(type="inbound", session=session, at=now(db) - timedelta(seconds=ago_s), data=data)


def wish(db: Connection, value: Any, phone: Any = DANA, *, session: str = "number1") -> Any:
    data = {"phone": phone, "category": "marketing_messages", "value": value, "detail": "User requested to stop"}
    return SimpleNamespace(type="preference", session=session, at=now(db), data=data)


def last(db: Connection) -> dict[tuple[str, str], datetime]:
    rows = db.execute(
        text("SELECT d.session, c.phone, c.last_inbound_at FROM conversations c JOIN devices d ON d.id = c.device_id")
    )
    return {(row.session, row.phone): row.last_inbound_at for row in rows}


def test_the_last_message_counts_whatever_comes_late(db: Connection) -> None:
    add_numbers(db, 2)
    early, late, between = (wrote(db, ago_s=ago_s) for ago_s in (300, 100, 200))
    conversations.apply(db, [early, late, between, wrote(db, NOA, session="number2", ago_s=50)])
    conversations.apply(db, [between])
    found = last(db)
    assert found[("number1", DANA)] == late.at
    assert set(found) == {("number1", DANA), ("number2", NOA)}


def test_who_writes_to_other_phones_or_numbers_that_are_not_ours_opens_nothing(db: Connection) -> None:
    add_devices(db, 1, name="number")  # a session of the same name at another bridge
    conversations.apply(db, [wrote(db), wrote(db, session="elsewhere")])
    assert last(db) == {}


@pytest.mark.parametrize("kind", ["system", "reaction"])
def test_what_is_no_message_of_theirs_opens_nothing(db: Connection, kind: str) -> None:
    add_numbers(db, 1)
    conversations.apply(db, [wrote(db, kind=kind)])
    assert last(db) == {}


def test_the_window_closes_a_little_before_whatsapp_closes_it(db: Connection) -> None:
    add_numbers(db, 1)
    margin_s = conversations.MARGIN_S
    conversations.apply(db, [wrote(db, ago_s=86_400 - margin_s - 60), wrote(db, NOA, ago_s=86_400 - margin_s + 60)])
    within = text(
        "SELECT phone FROM conversations WHERE last_inbound_at > clock_timestamp() - make_interval(secs => :s)"
    )
    assert db.execute(within, {"s": conversations.OPEN_S}).scalars().all() == [DANA]


def suppressed(db: Connection) -> list[Any]:
    return list(db.execute(text("SELECT phone, reason, proof FROM suppressions ORDER BY phone")).all())


def test_who_wants_no_more_offers_gets_nothing_more(db: Connection) -> None:
    add_numbers(db, 1)
    waiting = place_message(db, place_campaign(db, "running"), "queued", phone=DANA)
    conversations.apply(db, [wish(db, "stop"), wish(db, "stop")])
    ((phone, reason, proof),) = suppressed(db)
    assert (phone, reason) == (DANA, "opt_out")
    assert "User requested to stop" in proof
    status = db.execute(text("SELECT status FROM messages WHERE id = :id"), {"id": waiting}).scalar_one()
    assert status == "suppressed"


def test_who_wants_them_again_is_let_in_by_a_person_only(db: Connection) -> None:
    add_numbers(db, 1)
    conversations.apply(db, [wish(db, "resume", NOA), wish(db, "stop"), wish(db, "resume")])
    assert [row.phone for row in suppressed(db)] == [DANA]


@pytest.mark.parametrize(
    "data", [{}, {"from": None}, {"from": 7, "kind": []}, {"value": "stop"}, {"value": "stop", "phone": ["x"]}]
)
@pytest.mark.parametrize("kind", ["inbound", "preference"])
def test_what_another_bridge_posts_stops_no_other(db: Connection, kind: str, data: dict[str, Any]) -> None:
    add_numbers(db, 1)
    workspace(db)
    conversations.apply(db, [SimpleNamespace(type=kind, session="number1", at=now(db), data=data), wrote(db)])
    assert ("number1", DANA) in last(db)
