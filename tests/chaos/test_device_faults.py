"""Phones fail in mid-campaign: what they have not tried goes to others, what is in doubt stays, and none is hammered."""

from __future__ import annotations

from collections import Counter

from fleet import Fleet
from ledger import pace_kept
from oracle import deliveries, kept
from people import phones
from staging import launched, ready, sent
from waiting import until

from services import control

FATES = {"device1": "logged_out", "device2": "replaced", "device3": "restricted", "device4": "banned"}
STATES = "SELECT session, can_send, error_code, error_reason FROM devices ORDER BY id"


def behave(fleet: Fleet, session: str, behaviour: str | None) -> None:
    fleet.bridge("POST", f"/simulator/sessions/{session}/behaviour", {"behaviour": behaviour})


def sends_of(fleet: Fleet) -> Counter[str]:
    """How many hand-overs each session has made."""
    return Counter(delivery["session"] for delivery in deliveries(fleet))


def test_phones_that_fail_in_mid_campaign_and_come_back(fleet: Fleet) -> None:
    ids = ready(fleet, 5, gap_s=0.1)
    fleet.start("api", "worker", "dispatcher")
    first = launched(fleet, phones(60))
    until(lambda: sent(fleet) >= 15, "it is under way")
    for session, behaviour in FATES.items():
        behave(fleet, session, behaviour)
    refused = "SELECT count(DISTINCT device_id) FROM attempts WHERE outcome = 'not_sent'"
    until(lambda: fleet.one(refused) == 4, "all four are refused")
    for session in FATES:
        behave(fleet, session, None)
    before = sends_of(fleet)
    assert fleet.ended(first) == "completed"
    until(lambda: fleet.one("SELECT can_send FROM devices WHERE session = 'device3'"), "the restriction is over")
    assert [tuple(row) for row in fleet.rows(STATES)] == [
        ("device1", False, "logged_out", "logged_out"),
        ("device2", False, "not_connected", "replaced"),
        ("device3", True, None, None),
        ("device4", False, "banned", "banned"),
        ("device5", True, None, None),
    ]
    after = sends_of(fleet)
    assert [after[session] - before[session] for session in ("device1", "device2", "device4")] == [0, 0, 0]
    # Whoever has taken a session over keeps it: we do not start it again by ourselves.
    told = {status["session"]: status for status in fleet.bridge("GET", "/whatsapp")["sessions"]}
    assert (told["device2"]["state"], told["device2"]["last_error"]) == ("closed", "replaced")

    for device_id in (ids[0], ids[1], ids[3]):
        assert fleet.api("POST", f"/api/devices/{device_id}/start").ok
    until(lambda: fleet.one("SELECT bool_and(can_send) FROM devices"), "all are back")
    second = launched(fleet, phones(15, start=1000))
    assert fleet.ended(second) == "completed"
    assert all(sends_of(fleet)[session] > after[session] for session in (*FATES, "device5"))
    pace_kept(fleet, 0.1)
    kept(fleet, phones(60) + phones(15, start=1000))


def test_what_is_in_doubt_stays_when_its_phone_hands_over(fleet: Fleet) -> None:
    ready(fleet, 2, gap_s=0.1)
    behave(fleet, "device1", "timeout_after")  # handed over, and the bridge does not know it
    fleet.start("worker", "dispatcher")
    campaign_id = launched(fleet, phones(20))
    doubt = until(
        lambda: fleet.rows("SELECT message_id FROM attempts WHERE outcome = 'unknown'"), "a send of device1 is in doubt"
    )[0].message_id
    untried = {row.id for row in fleet.rows("SELECT id FROM messages WHERE status = 'queued' AND device_id = 1")}
    fleet.execute("UPDATE devices SET strikes = 2 WHERE session = 'device1'")
    fleet.bridge("POST", "/whatsapp/device1/logout")
    fleet.execute("UPDATE bridges SET next_probe_at = clock_timestamp()")
    moved = "SELECT count(*) FROM messages WHERE device_id = 1"
    until(lambda: fleet.one(moved) == 1, "what it has not tried has moved")
    assert fleet.rows("SELECT status, device_id FROM messages WHERE id = :id", id=doubt) == [("processing", 1)]
    assert fleet.ended(campaign_id) == "partial"
    assert len(untried) > 5
    by_key = {delivery["key"]: delivery["session"] for delivery in deliveries(fleet)}
    assert {by_key[f"{message_id}.1"] for message_id in untried} == {"device2"}
    assert by_key[f"{doubt}.1"] == "device1"
    assert fleet.rows("SELECT status, device_id, attempt FROM messages WHERE id = :id", id=doubt) == [("unknown", 1, 1)]
    pace_kept(fleet, 0.1)
    kept(fleet, phones(20))


def test_a_phone_whose_bridge_calls_it_able_after_each_refusal_is_not_hammered(fleet: Fleet) -> None:
    """Restricted for five seconds each time, as its bridge says; the second time that is not believed."""
    ready(fleet, 1)
    behave(fleet, "device1", "restricted")
    fleet.start("worker", "dispatcher")
    campaign_id = launched(fleet, phones(3))
    parked = "SELECT strikes, extract(epoch FROM parked_until - clock_timestamp())::float AS seconds FROM devices"
    until(lambda: fleet.rows(parked)[0].strikes == 4, "it was tried again when its bridge said so")
    told = "SELECT restricted_until < clock_timestamp() + interval '6 seconds' FROM devices"
    until(lambda: fleet.one(told), "a look has brought what its bridge says")
    assert fleet.rows(parked)[0].seconds > 500
    assert fleet.rows("SELECT error_code FROM attempts") == [("restricted",), ("restricted",)]
    assert fleet.counts(campaign_id) == {"queued": 3}
    with fleet.engine.begin() as db:
        control.cancel(db, campaign_id, who="a test")
    kept(fleet, phones(3))
