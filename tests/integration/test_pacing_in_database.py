"""The gap that begin makes, whose turn it is, and what may not begin at all (R8, R11, R12, R17)."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from people import add_devices
from placing import begin_next, place_campaign, place_message, use_devices
from sqlalchemy import Connection, Engine, text

from domain.pacing import JITTER_FROM_S, JITTER_S
from services import deliver
from services.deliver import Begun

ORIGINS = {"inbox": 0, "single": 1, "sequence": 2, "campaign": 3}

seconds = st.one_of(
    st.just(0.0),
    st.integers(0, 400).map(lambda ms: ms / 1000),
    st.integers(0, 120_000_000).map(lambda us: us / 1_000_000),
)
ranges = st.tuples(seconds, seconds).map(lambda two: (min(two), max(two)))
# None: the campaign does not say. A range whose one end is not said is allowed too.
delays = st.one_of(
    ranges, st.just((None, None)), seconds.map(lambda least: (least, None)), seconds.map(lambda most: (None, most))
)


def begin_one(engine: Engine, gaps: tuple[float, float], delay: tuple[float | None, float | None], seed: int) -> Begun:
    """Begin the one message of a campaign with these delays, on a device with these gaps; nothing of it stays."""
    with engine.connect() as db:
        (device,) = add_devices(db, 1, gap_s=gaps[0], max_gap_s=gaps[1])
        campaign_id = place_campaign(db, min_delay_s=delay[0], max_delay_s=delay[1])
        use_devices(db, campaign_id, device)
        place_message(db, campaign_id, device_id=device)
        begun = deliver.begin(db, device, 0, worker_id="a worker", lease_s=40, rng=Random(seed))
        moved = db.execute(text("SELECT next_send_at FROM devices")).scalar_one()
        db.rollback()
    assert begun is not None
    assert moved == begun.next_send_at
    return begun


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ranges, delays, st.integers())
def test_the_gap_lies_in_the_campaigns_range_and_never_below_the_phones_least(
    engine: Engine, gaps: tuple[float, float], delay: tuple[float | None, float | None], seed: int
) -> None:
    begun = begin_one(engine, gaps, delay, seed)
    least = max(gaps[0], delay[0] or 0.0)
    most = max(least, gaps[1] if delay[1] is None else delay[1])
    jitter = JITTER_S if least >= JITTER_FROM_S else (0.0, 0.0)
    assert least + jitter[0] - 1e-9 <= begun.gap_s <= most + jitter[1] + 1e-9
    assert abs(begun.next_send_at - begun.begun_at - timedelta(seconds=begun.gap_s)) <= timedelta(microseconds=2)
    if not most:
        assert begun.gap_s == 0


def test_gaps_fill_their_range(engine: Engine) -> None:
    gaps = [begin_one(engine, (1.0, 1.0), (5.0, 15.0), seed).gap_s for seed in range(30)]
    assert min(gaps) < 7.5
    assert max(gaps) > 12.5


def order(db: Connection, device: int) -> list[int]:
    """The messages of a device, as they are begun one after another."""
    seen = []
    while begun := begin_next(db, device):
        seen.append(begun.message_id)
        db.execute(text("UPDATE messages SET slot = NULL, status = 'sent' WHERE status = 'processing'"))
    return seen


def test_inbox_goes_before_single_before_sequence_before_campaign(db: Connection) -> None:
    (device,) = add_devices(db, 1)
    campaign_id = place_campaign(db)
    use_devices(db, campaign_id, device)
    placed: dict[str, list[int]] = {origin: [] for origin in ORIGINS}
    for _ in range(2):
        for origin in reversed(ORIGINS):
            placed[origin].append(
                place_message(
                    db,
                    campaign_id if origin == "campaign" else None,
                    device_id=device,
                    origin=origin,
                    priority=ORIGINS[origin],
                )
            )
    assert order(db, device) == [id for origin in ORIGINS for id in placed[origin]]


def test_campaigns_on_one_phone_take_turns(db: Connection) -> None:
    (device,) = add_devices(db, 1)
    campaigns = [place_campaign(db) for _ in range(3)]
    for number, campaign_id in enumerate(campaigns):
        use_devices(db, campaign_id, device)
        for _ in range(4 - number):
            place_message(db, campaign_id, device_id=device)
    of = {row.id: row.campaign_id for row in db.execute(text("SELECT id, campaign_id FROM messages"))}
    turns = [of[id] for id in order(db, device)]
    first, second, third = turns[:3]
    assert {first, second, third} == set(campaigns)
    a, b, c = campaigns
    assert sorted(turns[:6]) == [a, a, b, b, c, c]
    assert turns[3:6] == turns[:3]
    assert sorted(turns[6:8]) == [a, b]
    assert turns[8:] == [a]


def test_within_a_campaign_the_list_is_followed_and_a_back_off_holds_nobody_up(db: Connection) -> None:
    (device,) = add_devices(db, 1)
    campaign_id = place_campaign(db)
    use_devices(db, campaign_id, device)
    first, second, third = (place_message(db, campaign_id, device_id=device) for _ in range(3))
    db.execute(text("UPDATE messages SET due_at = clock_timestamp() + interval '1 hour' WHERE id = :id"), {"id": first})
    assert order(db, device) == [second, third]


def test_begin_writes_down_who_holds_it_since_when_and_for_how_long(db: Connection) -> None:
    (device,) = add_devices(db, 1)
    campaign_id = place_campaign(db, "queued")
    use_devices(db, campaign_id, device)
    place_message(db, campaign_id, device_id=device, attempts=["not_sent"])
    begun = begin_next(db, device)
    assert begun is not None
    message = db.execute(text("SELECT *, lease_until - processing_started_at AS lease FROM messages")).one()
    assert (message.status, message.attempt, message.slot) == ("processing", 2, 0)
    assert (message.processing_worker_id, message.processing_started_at) == ("a worker", begun.begun_at)
    assert timedelta(seconds=40) <= message.lease < timedelta(seconds=41)
    attempt = db.execute(text("SELECT * FROM attempts WHERE number = 2")).one()
    assert (attempt.device_id, attempt.worker_id, attempt.outcome) == (device, "a worker", "begun")
    assert begun.key == f"{begun.message_id}.2"
    campaign = db.execute(text("SELECT status, started_at FROM campaigns")).one()
    assert campaign.status == "running"
    assert campaign.started_at is not None


NOTHING_BEGINS = {
    "it is not due": "UPDATE devices SET next_send_at = clock_timestamp() + interval '1 minute'",
    "the phone cannot send": "UPDATE devices SET can_send = false",
    "the message is not due": "UPDATE messages SET due_at = clock_timestamp() + interval '1 minute'",
    "the campaign is paused": "UPDATE campaigns SET status = 'paused', pause_reason = 'operator'",
    "the campaign is cancelled": "UPDATE campaigns SET status = 'cancelled'",
    "the phone is out of the campaign": "UPDATE campaign_devices SET out_at = clock_timestamp()",
    "all sending is stopped": "UPDATE workspaces SET sending_stopped_at = clock_timestamp()",
    "the bridge is away": "UPDATE bridges SET away_since = clock_timestamp()",
    "the person is on the never-send list": (
        "INSERT INTO suppressions (workspace_id, phone, reason, proof)"
        " SELECT workspace_id, phone, 'by_hand', 'a test' FROM messages"
    ),
}


@pytest.mark.parametrize("why", NOTHING_BEGINS)
def test_nothing_begins(db: Connection, why: str) -> None:
    (device,) = add_devices(db, 1)
    campaign_id = place_campaign(db)
    use_devices(db, campaign_id, device)
    place_message(db, campaign_id, device_id=device)
    step = db.begin_nested()
    db.execute(text(NOTHING_BEGINS[why]))
    assert begin_next(db, device) is None
    step.rollback()
    assert begin_next(db, device) is not None


def test_a_phone_has_no_more_sends_at_once_than_its_limit(db: Connection) -> None:
    (device,) = add_devices(db, 1)
    campaign_id = place_campaign(db)
    use_devices(db, campaign_id, device)
    for _ in range(4):
        place_message(db, campaign_id, device_id=device)
    assert begin_next(db, device) is not None
    assert begin_next(db, device, slot=1) is None  # above the limit of 1
    step = db.begin_nested()
    assert begin_next(db, device, slot=0) is None  # held
    step.rollback()
    db.execute(text("UPDATE devices SET in_flight_limit = 2"))
    assert begin_next(db, device, slot=1) is not None
    assert begin_next(db, device, slot=2) is None


def test_of_two_workers_at_the_same_instant_one_begins(engine: Engine) -> None:
    with engine.begin() as db:
        (device,) = add_devices(db, 1)
        campaign_id = place_campaign(db)
        use_devices(db, campaign_id, device)
        for _ in range(2):
            place_message(db, campaign_id, device_id=device)
    with engine.begin() as first, engine.begin() as second:
        assert begin_next(first, device) is not None
        assert begin_next(second, device) is None
