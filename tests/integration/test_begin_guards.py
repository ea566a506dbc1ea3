"""Begin against what happens at the same moment, and each of its conditions where another stands behind it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from people import add_devices
from placing import begin_next, place_campaign, place_message, use_devices
from racing import during
from sqlalchemy import Connection, Engine, text

from services import control, devices, distribute
from services.deliver import Begun


@pytest.fixture
def phone(engine: Engine) -> int:
    """A phone with one message of a campaign to send."""
    with engine.begin() as db:
        (device_id,) = add_devices(db, 1)
        campaign_id = place_campaign(db)
        use_devices(db, campaign_id, device_id)
        place_message(db, campaign_id, device_id=device_id)
    return device_id


def begun_during(engine: Engine, device_id: int, change: Callable[[Connection], object]) -> tuple[Begun | None, bool]:
    """What begins while a change is made and not committed, and whether it had to wait for the commit."""
    return during(engine, change, lambda db: begin_next(db, device_id))


def test_who_changes_a_phone_is_not_passed_over(engine: Engine, phone: int) -> None:
    begun, _ = begun_during(
        engine,
        phone,
        lambda db: db.execute(text("UPDATE devices SET next_send_at = clock_timestamp() + interval '1 hour'")),
    )
    assert begun is None


def test_who_finds_a_phone_taken_does_not_wait_for_it(engine: Engine, phone: int) -> None:
    assert begun_during(engine, phone, lambda db: begin_next(db, phone)) == (None, False)


def test_a_message_that_is_cancelled_at_this_moment_is_not_begun(engine: Engine, phone: int) -> None:
    with engine.begin() as db:
        campaign_id = db.execute(text("SELECT id FROM campaigns")).scalar_one()
    found = begun_during(engine, phone, lambda db: control.cancel(db, campaign_id, who="dana"))
    assert found == (None, True)


@pytest.mark.parametrize("change", [control.pause, control.cancel])
def test_a_first_message_waits_for_whoever_has_its_campaign(engine: Engine, change: Callable[..., object]) -> None:
    """It locks the campaign before anything else, as they do: the other way round the two would wait for each other."""
    with engine.begin() as db:
        (device_id,) = add_devices(db, 1)
        campaign_id = place_campaign(db, status="queued")
        use_devices(db, campaign_id, device_id)
        place_message(db, campaign_id, device_id=device_id)
    assert begun_during(engine, device_id, lambda db: change(db, campaign_id, who="dana")) == (None, True)


def test_a_message_that_moves_to_another_phone_at_this_moment_is_not_begun_here(engine: Engine, phone: int) -> None:
    def move(db: Connection) -> None:
        (other,) = add_devices(db, 1, name="other")
        campaign_id, message_id = db.execute(text("SELECT campaign_id, id FROM messages")).one()
        use_devices(db, campaign_id, other)
        able = [device for device in devices.of_campaign(db, campaign_id) if device.id == other]
        distribute.move(db, [message_id], able)

    assert begun_during(engine, phone, move) == (None, True)


@pytest.mark.parametrize(("status", "active"), [("paused", True), ("running", False)])
def test_a_campaign_and_its_mirror_must_both_say_that_it_sends(db: Connection, status: str, active: bool) -> None:
    (device_id,) = add_devices(db, 1)
    campaign_id = place_campaign(db, status)
    use_devices(db, campaign_id, device_id)
    place_message(db, campaign_id, device_id=device_id)
    db.execute(text("UPDATE campaign_devices SET active = :active"), {"active": active})
    assert begin_next(db, device_id) is None


def test_a_single_message_that_is_not_due_waits(db: Connection, device: int) -> None:
    place_message(db, None, device_id=device)
    db.execute(text("UPDATE messages SET due_at = clock_timestamp() + interval '1 minute'"))
    assert begin_next(db, device) is None


def test_after_a_begin_the_phone_is_not_due_for_its_gap(db: Connection) -> None:
    (device_id,) = add_devices(db, 1, gap_s=60.0)
    place_message(db, None, device_id=device_id)
    begun = begin_next(db, device_id)
    assert begun is not None
    assert begun.next_send_at >= begun.begun_at + timedelta(seconds=60)
