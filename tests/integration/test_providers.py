"""A bridge serves one kind of phone: what is of another kind sends nothing there, however its sessions are called."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests
from fleet import Fleet
from people import add_devices, workspace
from placing import begin_next, place_campaign, place_message, use_devices
from sqlalchemy import Connection, text
from waiting import until

from bridge.protocol import Roster, SessionStatus
from services import health, recover
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


def test_the_ledger_of_another_kind_of_bridge_proves_nothing(db: Connection, phone: int) -> None:
    """What was on its way when the bridge was changed waits for its own, as for one that is away."""
    campaign_id = place_campaign(db)
    use_devices(db, campaign_id, phone)
    place_message(db, campaign_id, device_id=phone)
    assert begin_next(db, phone) is not None
    look(db, "simulator")
    overdue(db, by="1 minute")
    assert recover.overdue(db, 40.0) == []
    overdue(db, by="1 day")
    (doubt,) = recover.overdue(db, 40.0)
    assert not doubt.served
    look(db, "baileys")
    (doubt,) = recover.overdue(db, 40.0)
    assert doubt.served


def overdue(db: Connection, *, by: str) -> None:
    db.execute(text("UPDATE messages SET lease_until = clock_timestamp() - CAST(:by AS interval)"), {"by": by})


@pytest.mark.usefixtures("phone")
def test_a_phone_of_another_kind_cannot_be_added(db: Connection) -> None:
    look(db, "simulator")
    new = NewDevice(workspace(db), "Sales", "baileys", "sales", "default", None, None, None)
    with pytest.raises(Refused) as refused:
        add_device(db, new, who="dana")
    assert refused.value.code == "PROVIDER_NOT_SERVED"


def test_a_bridge_of_another_kind_is_never_asked_for_a_proof(make_fleet: Callable[..., Fleet]) -> None:
    fleet = make_fleet().start("bridge")
    fleet.bridge("POST", "/whatsapp/device1/start")
    with fleet.engine.begin() as db:
        (device_id,) = add_devices(db, 1)
        db.execute(text("UPDATE devices SET provider = 'baileys'"))
        campaign_id = place_campaign(db)
        use_devices(db, campaign_id, device_id)
        place_message(db, campaign_id, device_id=device_id)
        begun = begin_next(db, device_id)
        assert begun is not None
        look(db, "simulator")
        overdue(db, by="1 day")
    fleet.start("worker", "dispatcher")
    until(lambda: fleet.one("SELECT status FROM messages") == "unknown", "it is left to receipts and people")
    with pytest.raises(requests.HTTPError, match="404"):
        fleet.bridge("GET", f"/whatsapp/device1/messages/{begun.key}")
