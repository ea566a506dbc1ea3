"""Each behaviour of the simulator, by table: where the person's message ends, and that nobody beside them is harmed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from fleet import Fleet
from people import launch_to, phones, workspace
from sqlalchemy import text
from waiting import until

# Ending of the number → (final state, code, how often the person received it, how the campaign ends)
TABLE = {
    "99001": ("failed", "not_on_whatsapp", 0, "partial"),
    "99002": ("failed", "invalid_recipient", 0, "partial"),
    "99003": ("failed", "no_answer", 0, "partial"),
    "99004": ("unknown", "outcome_unknown", 1, "partial"),
    "99005": ("failed", "internal", 0, "partial"),
    "99006": ("read", None, 1, "completed"),
    "99007": ("read", None, 1, "completed"),
    "99008": ("read", None, 1, "completed"),
    "99009": ("read", None, 1, "completed"),
    "99011": ("read", None, 1, "completed"),
    "99012": ("read", None, 1, "completed"),
    "99013": ("read", None, 1, "completed"),
    "99014": ("failed", "unsupported_media", 0, "partial"),
    "99015": ("failed", "too_large", 0, "partial"),
    "99016": ("sent", None, 1, "completed"),
    "99017": ("delivered", None, 1, "completed"),
    "99018": ("read", None, 1, "completed"),
    "99019": ("read", None, 1, "completed"),
    "99020": ("sent", None, 1, "completed"),
    "99021": ("read", None, 1, "completed"),
    "99022": ("read", None, 1, "completed"),
    "99023": ("failed", "provider_error", 0, "partial"),
}
NEEDS_A_PERSON = ("logged_out", "banned", "qr_required")


def device(fleet: Fleet, session: str) -> int:
    with fleet.engine.begin() as db:
        return int(
            db.execute(
                text(
                    "INSERT INTO devices (workspace_id, name, provider, session, min_gap_s, max_gap_s)"
                    " VALUES (:workspace_id, :session, 'simulator', :session, 0.02, 0.02) RETURNING id"
                ),
                {"workspace_id": workspace(db), "session": session},
            ).scalar_one()
        )


def launched(fleet: Fleet, numbers: list[str], device_id: int) -> int:
    with fleet.engine.begin() as db:
        return launch_to(db, numbers, device_ids=[device_id], allow_repeat=True).campaign_id


def test_each_behaviour_ends_as_the_table_says(make_fleet: Callable[..., Fleet]) -> None:
    fleet = make_fleet(send_limit_s=1).start("api", "bridge", "dispatcher", "worker")
    # One device for each, so that nobody waits for another's trouble; two ordinary people beside each.
    devices = {ending: device(fleet, f"behaves-{ending}") for ending in TABLE}
    fleet.execute("UPDATE bridges SET next_probe_at = clock_timestamp()")
    until(lambda: fleet.one("SELECT bool_and(can_send) FROM devices"), "all devices can send", within_s=30)
    campaigns = {
        ending: launched(fleet, [f"+9725021{ending}", *phones(2, start=10 * int(ending))], device_id)
        for ending, device_id in devices.items()
    }

    def states() -> dict[str, tuple[str, str | None]]:
        return {
            row.phone[-5:]: (row.status, row.error_code)
            for row in fleet.rows("SELECT phone, status, error_code FROM messages WHERE phone LIKE '+9725021%'")
        }

    def wanted() -> bool:
        return states() == {ending: (state, code) for ending, (state, code, _, _) in TABLE.items()}

    try:
        until(wanted, "every person is where the table says", within_s=90)
    finally:
        told = states()
        assert told == {ending: (state, code) for ending, (state, code, _, _) in TABLE.items()}
    received = fleet.received()
    assert {ending: received.get(f"+9725021{ending}", 0) for ending in TABLE} == {
        ending: times for ending, (_, _, times, _) in TABLE.items()
    }
    ends = {ending: fleet.ended(campaign_id) for ending, campaign_id in campaigns.items()}
    assert ends == {ending: end for ending, (_, _, _, end) in TABLE.items()}
    ordinary = [phone for ending in TABLE for phone in phones(2, start=10 * int(ending))]
    until(
        lambda: (
            fleet.one("SELECT count(*) FROM messages WHERE phone = ANY(:p) AND status = 'read'", p=ordinary)
            == len(ordinary)
        ),
        "everybody beside them has read it",
    )
    received = fleet.received()
    assert {received[phone] for phone in ordinary} == {1}
    assert fleet.bridge("GET", "/ledger/overlaps") == []


@pytest.fixture
def fleet(make_fleet: Callable[..., Fleet]) -> Iterator[Fleet]:
    return make_fleet(send_limit_s=1).start("api", "bridge", "dispatcher", "worker")


@pytest.mark.parametrize("behaviour", NEEDS_A_PERSON)
def test_a_device_that_a_person_must_mend_pauses_its_campaign_until_then(fleet: Fleet, behaviour: str) -> None:
    session = f"mends-{behaviour}"
    device_id = device(fleet, session)
    fleet.execute("UPDATE bridges SET next_probe_at = clock_timestamp()")
    until(lambda: fleet.one("SELECT can_send FROM devices"), "the device can send")
    fleet.bridge("POST", f"/simulator/sessions/{session}/behaviour", {"behaviour": behaviour})
    campaign_id = launched(fleet, phones(3), device_id)
    until(
        lambda: fleet.rows("SELECT status, pause_reason FROM campaigns")[0] == ("paused", "no_device"),
        "the campaign pauses",
        within_s=30,
    )
    assert fleet.one("SELECT max(attempts_used) FROM messages") == 0
    fleet.bridge("POST", f"/simulator/sessions/{session}/behaviour", {"behaviour": None})
    fleet.sessions_can_send(session)
    assert fleet.ended(campaign_id) == "completed"
    assert fleet.received() == dict.fromkeys(phones(3), 1)


def test_what_a_device_cannot_send_goes_to_others(fleet: Fleet) -> None:
    bad, good = device(fleet, "bad"), device(fleet, "good")
    fleet.execute("UPDATE bridges SET next_probe_at = clock_timestamp()")
    until(lambda: fleet.one("SELECT bool_and(can_send) FROM devices"), "both can send")
    fleet.bridge("POST", "/simulator/sessions/bad/behaviour", {"behaviour": "banned"})
    with fleet.engine.begin() as db:
        campaign_id = launch_to(db, phones(40), device_ids=[bad, good]).campaign_id
    assert fleet.ended(campaign_id) == "completed"
    assert fleet.received() == dict.fromkeys(phones(40), 1)
    assert fleet.one("SELECT count(*) FROM messages WHERE device_id <> :good", good=good) == 0
    assert fleet.rows("SELECT device_id FROM campaign_devices WHERE out_at IS NOT NULL")[0] == (bad,)


def test_a_bridge_that_is_away_costs_nobody_an_attempt(fleet: Fleet) -> None:
    device_id = device(fleet, "away")
    fleet.execute("UPDATE bridges SET next_probe_at = clock_timestamp()")
    until(lambda: fleet.one("SELECT can_send FROM devices"), "the device can send")
    fleet.kill("bridge")
    campaign_id = launched(fleet, phones(5), device_id)
    until(lambda: fleet.one("SELECT away_since IS NOT NULL FROM bridges"), "the bridge is known to be away")
    fleet.start("bridge")
    assert fleet.ended(campaign_id) == "completed"
    assert fleet.one("SELECT max(attempts_used) FROM messages") == 0
    assert fleet.received() == dict.fromkeys(phones(5), 1)
