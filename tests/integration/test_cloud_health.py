"""What Meta says of our numbers, written down where it differs; what it does not say leaves them as they stand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from cloud_numbers import add_numbers
from people import workspace
from sqlalchemy import Connection, text

from bridge.protocol import Roster, SessionStatus
from domain.condition import Condition
from services import device_views, health

ABLE = SessionStatus("number1", "open", True, True, False, None, "+972501234567", None, None, "GREEN", "TIER_1K")
REFUSED = SessionStatus("number1", "token_refused", False, False, False, None, None, "Session has expired", None)


@pytest.fixture
def number(db: Connection) -> int:
    """A number that could send, and its neighbour."""
    return add_numbers(db, 2)[0]


def look(db: Connection, *sessions: SessionStatus, unheard: frozenset[str] = frozenset({"number2"})) -> health.Look:
    return health.record(db, "cloud", Roster("cloud", list(sessions), unheard), interval_s=30)


def seen(db: Connection, device_id: int) -> device_views.DeviceView:
    found = device_views.one(db, workspace(db), device_id)
    assert found is not None
    return found


def test_quality_and_limit_are_shown_as_last_told(db: Connection, number: int) -> None:
    look(db, ABLE)
    view = seen(db, number)
    assert (view.quality, view.messaging_limit, view.phone) == ("GREEN", "TIER_1K", "+972501234567")
    assert view.business_account_id == "business-1"
    look(db, replace(ABLE, quality="RED"))
    look(db, replace(ABLE, quality=None, messaging_limit="TIER_10K"))
    assert (seen(db, number).quality, seen(db, number).messaging_limit) == ("RED", "TIER_10K")
    look(db, REFUSED)
    assert seen(db, number).quality == "RED"
    assert seen(db, number + 1).quality is None


def test_what_does_not_differ_is_not_written(db: Connection, number: int) -> None:
    look(db, ABLE)
    before = row_versions(db)
    look(db, ABLE)
    assert row_versions(db) == before
    look(db, replace(ABLE, quality="YELLOW"))
    assert row_versions(db) != before
    assert seen(db, number).quality == "YELLOW"


@pytest.mark.parametrize("state", ["token_refused", "not_registered", "banned"])
def test_why_a_number_cannot_send(db: Connection, number: int, state: str) -> None:
    found = look(db, replace(REFUSED, state=state))
    view = seen(db, number)
    assert found.in_trouble == [number]
    assert (view.condition, view.can_send, view.error_code) == (Condition(state), False, state)
    assert "Session has expired" in str(view.last_error)
    assert look(db, ABLE).came_back == [number]
    assert seen(db, number).condition is Condition.READY


def test_of_whom_nothing_is_heard_stands_as_it_stood(db: Connection, number: int) -> None:
    look(db, ABLE, replace(REFUSED, session="number2"), unheard=frozenset())
    db.execute(text("UPDATE devices SET next_check_at = clock_timestamp() - interval '1 second'"))
    before = standing(db)
    found = look(db, unheard=frozenset({"number1", "number2"}))
    assert (standing(db), found.to_start, found.in_trouble) == (before, [], [])
    assert "cloud" not in health.due(db)  # nor is it asked about again at once
    assert look(db, unheard=frozenset({"number1"})).to_start == ["number2"]
    assert seen(db, number).can_send


def standing(db: Connection) -> list[Any]:
    return list(db.execute(text("SELECT id, state, can_send, strikes, error_code, connected FROM devices ORDER BY id")))


def row_versions(db: Connection) -> list[Any]:
    return list(db.execute(text("SELECT ctid FROM cloud_numbers ORDER BY device_id")).scalars())
