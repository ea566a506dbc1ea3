"""What recovery may conclude from what a bridge knows of a key."""

from __future__ import annotations

import random

import pytest
from people import add_devices, launch_to, phones
from placing import begin_next
from sqlalchemy import Connection, text

from bridge.protocol import Closed, InDoubt, KeyState
from services import deliver, distribute, recover
from services.recover import Doubt

LEASE_S = 40.0


def in_doubt(db: Connection, *, begun_ago_s: float) -> Doubt:
    """A message that was begun then and whose worker got no answer."""
    (device_id,) = add_devices(db, 1)
    distribute.distribute(db, launch_to(db, phones(1)).campaign_id)
    begun = begin_next(db, device_id)
    assert begun is not None
    deliver.record(db, begun, InDoubt("no_answer", "broken"), max_attempts=3, rng=random.Random(1))
    db.execute(
        text("UPDATE attempts SET begun_at = clock_timestamp() - make_interval(secs => :ago)"), {"ago": begun_ago_s}
    )
    (doubt,) = recover.overdue(db, LEASE_S)
    return doubt


def settled(db: Connection, doubt: Doubt, state: KeyState, ledger_age_s: float = 3600) -> str | None:
    return recover.settle(db, doubt, Closed(state, "an id", None, ledger_age_s), max_attempts=3, rng=random.Random(1))


@pytest.mark.parametrize(
    ("state", "becomes"),
    [
        (KeyState.SENT, "sent"),
        (KeyState.CLOSED, "queued"),
        (KeyState.FAILED, "queued"),
        (KeyState.DISPATCHING, "unknown"),
    ],
)
def test_what_the_bridge_knows_decides(db: Connection, state: KeyState, becomes: str) -> None:
    assert settled(db, in_doubt(db, begun_ago_s=60), state) == becomes


def test_a_bridge_that_is_still_sending_is_asked_again(db: Connection) -> None:
    doubt = in_doubt(db, begun_ago_s=5)
    assert settled(db, doubt, KeyState.DISPATCHING) is None
    assert [again.key for again in recover.overdue(db, LEASE_S)] == [doubt.key]
    assert settled(db, doubt, KeyState.SENT) == "sent"


@pytest.mark.parametrize(("ledger_age_s", "becomes"), [(61, "queued"), (59, "unknown")])
def test_a_ledger_that_is_younger_than_the_attempt_proves_nothing(
    db: Connection, ledger_age_s: float, becomes: str
) -> None:
    """Ages are compared, so that it does not matter what the bridge's clock says."""
    assert settled(db, in_doubt(db, begun_ago_s=60), KeyState.CLOSED, ledger_age_s) == becomes


def test_a_message_that_loses_its_worker_each_time_ends(db: Connection) -> None:
    doubt = in_doubt(db, begun_ago_s=60)
    db.execute(text("UPDATE messages SET attempts_used = 2"))
    db.execute(text("UPDATE attempts SET error_code = NULL"))
    (doubt,) = recover.overdue(db, LEASE_S)
    assert settled(db, doubt, KeyState.CLOSED) == "failed"
    assert db.execute(text("SELECT error_code FROM messages")).scalar_one() == "poison"


def test_what_a_bridge_knows_of_another_message_under_its_key_says_nothing_of_it(db: Connection) -> None:
    """A ledger that is older than this database knows keys of messages that this database has never seen."""
    doubt = in_doubt(db, begun_ago_s=60)
    db.execute(text("UPDATE attempts SET error_code = 'key_conflict'"))
    (doubt,) = recover.overdue(db, LEASE_S)
    assert settled(db, doubt, KeyState.SENT) == "unknown"
    assert db.execute(text("SELECT error_code FROM messages")).scalar_one() == "key_conflict"


def test_what_was_lost_with_its_worker_waits_a_moment(db: Connection) -> None:
    """So that others of its device go before it, and those lost in one crash do not come back together."""
    assert settled(db, in_doubt(db, begun_ago_s=60), KeyState.CLOSED) == "queued"
    assert db.execute(text("SELECT due_at > clock_timestamp() FROM messages")).scalar_one()
