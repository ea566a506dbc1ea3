"""A bridge serves one kind of phone: what is of another kind sends nothing there, however its sessions are called."""

from __future__ import annotations

import pytest
from people import add_devices, workspace
from sqlalchemy import Connection, text

from bridge.protocol import Roster, SessionStatus
from services import health
from services.add_device import NewDevice, add_device
from services.change_device import session_of
from services.refused import Refused

OPEN = SessionStatus("device1", "open", True, True, False, 5, None, None, None)


@pytest.fixture
def phone(db: Connection) -> int:
    """A WhatsApp phone that could send."""
    (device_id,) = add_devices(db, 1)
    db.execute(text("UPDATE devices SET provider = 'baileys'"))
    return device_id


def look(db: Connection, provider: str | None, *sessions: SessionStatus) -> health.Look:
    return health.record(db, "default", Roster(provider, list(sessions)), interval_s=30)


def standing(db: Connection) -> tuple[bool, str, str | None]:
    row = db.execute(text("SELECT can_send, state, error_code FROM devices")).one()
    return row.can_send, row.state, row.error_code


@pytest.mark.usefixtures("phone")
def test_a_simulator_does_not_pass_for_a_phone(db: Connection) -> None:
    look(db, "simulator", OPEN)
    assert standing(db) == (False, "wrong_bridge", "wrong_bridge")


@pytest.mark.usefixtures("phone")
def test_its_session_is_not_started_there(db: Connection) -> None:
    assert look(db, "simulator").to_start == []
    assert look(db, "baileys").to_start == ["device1"]


@pytest.mark.usefixtures("phone")
def test_it_sends_again_when_its_own_kind_of_bridge_runs(db: Connection) -> None:
    look(db, "simulator", OPEN)
    assert len(look(db, "baileys", OPEN).came_back) == 1
    assert standing(db) == (True, "open", None)


@pytest.mark.usefixtures("phone")
def test_a_bridge_that_does_not_say_serves_all(db: Connection) -> None:
    look(db, "simulator", OPEN)
    look(db, None, OPEN)
    assert standing(db) == (True, "open", None)


def test_nothing_is_ordered_from_the_wrong_bridge(db: Connection, phone: int) -> None:
    look(db, "simulator")
    with pytest.raises(Refused) as refused:
        session_of(db, workspace(db), phone)
    assert refused.value.code == "WRONG_BRIDGE"


@pytest.mark.usefixtures("phone")
def test_a_phone_of_another_kind_cannot_be_added(db: Connection) -> None:
    look(db, "simulator")
    new = NewDevice(workspace(db), "Sales", "baileys", "sales", "default", None, None, None)
    with pytest.raises(Refused) as refused:
        add_device(db, new, who="dana")
    assert refused.value.code == "PROVIDER_NOT_SERVED"
