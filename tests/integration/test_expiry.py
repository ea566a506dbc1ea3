"""The window of a message runs only while it could have been sent (R15)."""

from __future__ import annotations

import pytest
from people import add_devices, workspace
from placing import place_campaign, place_message, use_devices
from sqlalchemy import Connection, text

from services import control, trouble
from services.expire import expire

WINDOW_S = 600.0


@pytest.fixture
def device(db: Connection) -> int:
    """A phone that has been free to send since yesterday."""
    (device_id,) = add_devices(db, 1)
    db.execute(text("UPDATE devices SET next_send_at = clock_timestamp() - interval '1 day'"))
    return device_id


@pytest.fixture
def campaign(db: Connection, device: int) -> int:
    """A running campaign on it, with a message that has been due since yesterday."""
    campaign_id = place_campaign(db)
    use_devices(db, campaign_id, device)
    wait_for(db, place_message(db, campaign_id, device_id=device))
    return campaign_id


def wait_for(db: Connection, message_id: int) -> int:
    db.execute(
        text("UPDATE messages SET due_at = clock_timestamp() - interval '1 day' WHERE id = :id"), {"id": message_id}
    )
    return message_id


def pass_time(db: Connection, seconds: float) -> dict[int | None, int]:
    """The last count was so long ago; count and expire."""
    db.execute(
        text(
            "INSERT INTO marks (name, at) VALUES ('stalled', clock_timestamp() - make_interval(secs => :s))"
            " ON CONFLICT (name) DO UPDATE SET at = excluded.at"
        ),
        {"s": seconds},
    )
    return expire(db, window_s=WINDOW_S)


def stalled(db: Connection) -> float:
    return float(db.execute(text("SELECT stalled_s FROM devices")).scalar_one())


def test_the_first_look_counts_nothing_and_the_next_counts_from_it(db: Connection, campaign: int) -> None:
    assert expire(db, window_s=WINDOW_S) == {}
    assert stalled(db) == pytest.approx(0, abs=1)
    assert expire(db, window_s=WINDOW_S) == {}
    assert stalled(db) == pytest.approx(0, abs=1)


def test_what_could_have_been_sent_for_longer_than_its_window_expires(db: Connection, campaign: int) -> None:
    assert pass_time(db, 400) == {}
    assert pass_time(db, 150) == {}
    assert stalled(db) == pytest.approx(550, abs=2)
    assert pass_time(db, 100) == {campaign: 1}
    row = db.execute(text("SELECT status, error_code, failed_at FROM messages")).one()
    assert (row.status, row.error_code) == ("failed", "expired")
    assert row.failed_at is not None


def test_after_an_outage_of_everything_what_is_over_its_window_expires(db: Connection, campaign: int) -> None:
    assert pass_time(db, 4 * 3600) == {campaign: 1}


def test_an_earlier_attempt_in_doubt_makes_it_unknown_and_not_failed(
    db: Connection, device: int, campaign: int
) -> None:
    doubted = wait_for(db, place_message(db, campaign, device_id=device, attempts=["unknown"]))
    assert pass_time(db, 700) == {campaign: 2}
    row = db.execute(text("SELECT status, error_code FROM messages WHERE id = :id"), {"id": doubted}).one()
    assert tuple(row) == ("unknown", "expired")


def test_single_sends_expire_too(db: Connection, device: int) -> None:
    wait_for(db, place_message(db, None, device_id=device))
    assert pass_time(db, 700) == {None: 1}


NOT_COUNTED = {
    "it keeps its pace": "UPDATE devices SET next_send_at = clock_timestamp() + interval '10 seconds'",
    "it is at its cap": "UPDATE devices SET daily_cap = 1, next_send_at = clock_timestamp() + interval '9 hours'",
    "it cannot send": "UPDATE devices SET can_send = false",
    "it is sending": "UPDATE messages SET slot = 0 WHERE id = (SELECT min(id) FROM messages)",
    "its message waits to be tried again": "UPDATE messages SET due_at = clock_timestamp() + interval '3 seconds'",
    "its message is for later": "UPDATE messages SET due_at = clock_timestamp() + interval '2 hours'",
    "the campaign is paused": "UPDATE campaigns SET status = 'paused', pause_reason = 'operator'",
    "it was taken out of the campaign": "UPDATE campaign_devices SET out_at = clock_timestamp()",
    "the workspace's switch is off": "UPDATE workspaces SET sending_stopped_at = clock_timestamp()",
    "its bridge is away": "UPDATE bridges SET away_since = clock_timestamp()",
}


@pytest.mark.parametrize("why", NOT_COUNTED)
def test_time_in_which_it_could_not_have_been_sent_does_not_count(db: Connection, campaign: int, why: str) -> None:
    db.execute(text(NOT_COUNTED[why]))
    assert pass_time(db, 4 * 3600) == {}
    assert stalled(db) == 0


def test_only_the_time_since_the_phone_was_free_counts(db: Connection, campaign: int) -> None:
    db.execute(text("UPDATE devices SET next_send_at = clock_timestamp() - interval '30 seconds'"))
    assert pass_time(db, 4 * 3600) == {}
    assert stalled(db) == pytest.approx(30, abs=2)


def test_only_the_time_since_the_message_was_due_counts(db: Connection, campaign: int) -> None:
    db.execute(text("UPDATE messages SET due_at = clock_timestamp() - interval '45 seconds'"))
    assert pass_time(db, 4 * 3600) == {}
    assert stalled(db) == pytest.approx(45, abs=2)


def test_a_message_pays_only_for_what_its_phone_stalled_since_it_has_it(
    db: Connection, device: int, campaign: int
) -> None:
    pass_time(db, 500)
    newer = wait_for(db, place_message(db, campaign, device_id=device))
    db.execute(text("UPDATE messages SET stalled_base_s = 500 WHERE id = :id"), {"id": newer})
    assert pass_time(db, 200) == {campaign: 1}
    assert db.execute(text("SELECT status FROM messages WHERE id = :id"), {"id": newer}).scalar_one() == "queued"


def test_nothing_expires_in_a_pause_nor_right_after_it(db: Connection, campaign: int) -> None:
    pass_time(db, 500)
    control.pause(db, campaign, who="dana")
    db.execute(text("UPDATE devices SET stalled_s = 5000"))  # for other campaigns' messages
    assert pass_time(db, 1000) == {}
    control.resume(db, campaign, who="dana")
    assert pass_time(db, 500) == {}
    assert pass_time(db, 200) == {campaign: 1}


def test_nothing_expires_while_all_sending_is_stopped(db: Connection, campaign: int) -> None:
    pass_time(db, 500)
    control.stop_all(db, workspace(db), who="dana")
    assert pass_time(db, 1000) == {}
    control.go(db, workspace(db), who="dana")
    assert pass_time(db, 500) == {}


def test_a_bridge_that_was_away_gives_its_messages_their_time_back(db: Connection, campaign: int) -> None:
    pass_time(db, 500)
    trouble.bridge_away(db, "default", "bridge_unreachable", "refused")
    assert pass_time(db, 4 * 3600) == {}
    assert stalled(db) == pytest.approx(500, abs=2)
