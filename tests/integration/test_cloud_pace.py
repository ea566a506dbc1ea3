"""A number of the Cloud API keeps a rate with several sends in flight, and a least time to each person (R11, R28)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random

import pytest
from cloud_numbers import add_numbers
from people import add_devices, workspace
from placing import begin_next, place_campaign, place_message, use_devices
from sqlalchemy import Connection, Engine, text

from bridge.protocol import Accepted
from db.engine import run
from db.queries import query
from domain.pacing import CATCH_UP_S
from services import deliver
from services.deliver import Begun

GAP_S = 0.02


def with_work(db: Connection, messages: int, **number: float) -> int:
    """A number with a campaign whose messages wait on it."""
    (device,) = add_numbers(db, 1, **number)  # type: ignore[arg-type]
    campaign_id = place_campaign(db)
    use_devices(db, campaign_id, device)
    for _ in range(messages):
        place_message(db, campaign_id, device_id=device)
    return device


def next_send_in(db: Connection, device: int, seconds: float) -> None:
    db.execute(
        text("UPDATE devices SET next_send_at = clock_timestamp() + make_interval(secs => :s) WHERE id = :id"),
        {"s": seconds, "id": device},
    )


def test_what_was_missed_a_moment_ago_is_made_good(db: Connection) -> None:
    device = with_work(db, 2, gap_s=GAP_S)
    next_send_in(db, device, -CATCH_UP_S / 2)
    due = db.execute(text("SELECT next_send_at FROM devices")).scalar_one()
    begun = begin_next(db, device)
    assert begun is not None
    assert abs(begun.next_send_at - due - timedelta(seconds=GAP_S)) <= timedelta(microseconds=2)


def test_what_was_missed_long_ago_is_not(db: Connection) -> None:
    device = with_work(db, 2, gap_s=GAP_S)
    next_send_in(db, device, -60)
    begun = begin_next(db, device)
    assert begun is not None
    expected = begun.begun_at + timedelta(seconds=GAP_S - CATCH_UP_S)
    assert abs(begun.next_send_at - expected) <= timedelta(microseconds=2)


def test_a_phone_with_one_send_at_a_time_makes_nothing_good(db: Connection) -> None:
    (device,) = add_devices(db, 1, gap_s=GAP_S)
    campaign_id = place_campaign(db)
    use_devices(db, campaign_id, device)
    place_message(db, campaign_id, device_id=device)
    next_send_in(db, device, -CATCH_UP_S / 2)
    begun = begin_next(db, device)
    assert begun is not None
    assert abs(begun.next_send_at - begun.begun_at - timedelta(seconds=GAP_S)) <= timedelta(microseconds=2)


def test_slots_that_begin_at_once_take_turns_and_none_is_passed_over(engine: Engine) -> None:
    with engine.begin() as db:
        device = with_work(db, 8, gap_s=0.0)

    def begin(slot: int) -> Begun | None:
        return run(engine, lambda db: deliver.begin(db, device, slot, worker_id="w", lease_s=40, rng=Random(slot)))

    with ThreadPoolExecutor(8) as pool:
        begun = list(pool.map(begin, range(1, 9)))
    assert len({one.message_id for one in begun if one is not None}) == 8


def test_each_slot_has_its_turn_when_the_others_have_had_theirs(db: Connection) -> None:
    device = with_work(db, 1, gap_s=GAP_S)
    begun = begin_next(db, device, slot=3)
    assert begun is not None
    assert begun.again_at == begun.next_send_at + timedelta(seconds=19 * GAP_S)


def test_slots_that_come_too_early_are_looked_at_one_after_another(db: Connection) -> None:
    device = with_work(db, 1, gap_s=GAP_S)
    next_send_in(db, device, 1)
    at = [db.execute(query("next_due"), {"device_id": device, "slot": slot}).scalar_one() for slot in range(3)]
    assert [round((later - at[0]).total_seconds(), 6) for later in at] == [0, GAP_S, 2 * GAP_S]


def accepted(db: Connection, begun: Begun) -> None:
    deliver.record(db, begun, Accepted("wamid.1"), max_attempts=3, rng=Random(1))


@pytest.mark.parametrize("origin", ["single", "campaign"])
def test_a_person_is_not_written_to_again_at_once_and_the_others_go_on(db: Connection, origin: str) -> None:
    (device,) = add_numbers(db, 1, gap_s=0.0)
    campaigns = [place_campaign(db) for _ in range(2)] if origin == "campaign" else [None, None]
    placed = []
    for campaign_id in campaigns:
        if campaign_id is not None:
            use_devices(db, campaign_id, device)
        placed.append(place_message(db, campaign_id, device_id=device, phone="+972501111111"))
    first = begin_next(db, device)
    assert first is not None
    assert begin_next(db, device, slot=1) is None  # it may be on its way to them at this moment
    accepted(db, first)
    assert begin_next(db, device, slot=1) is None
    due = db.execute(query("next_due"), {"device_id": device, "slot": 1}).scalar_one()
    waits = db.execute(text("SELECT extract(epoch FROM :due - clock_timestamp())"), {"due": due}).scalar_one()
    assert 5 < waits <= 6
    other = place_message(db, campaigns[0], device_id=device, phone="+972502222222")
    second = begin_next(db, device, slot=1)
    assert second is not None
    assert second.message_id == other
    db.execute(text("UPDATE pairs SET next_at = clock_timestamp()"))
    third = begin_next(db, device, slot=2)
    assert third is not None
    assert {first.message_id, third.message_id} == set(placed)


def test_two_numbers_may_write_to_one_person(db: Connection) -> None:
    for device in add_numbers(db, 2, gap_s=0.0):
        place_message(db, None, device_id=device, phone="+972501111111")
        assert begin_next(db, device) is not None
    assert workspace(db)
