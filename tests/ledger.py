"""What the simulator's ledger must say after any disturbance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from fleet import Fleet


def everybody_once(fleet: Fleet, numbers: Iterable[str]) -> None:
    """Each of these people received exactly one message, and nobody else any."""
    received = fleet.received()
    wanted = dict.fromkeys(numbers, 1)
    lost = sorted(set(wanted) - set(received))
    doubled = sorted(number for number, times in received.items() if times > 1)
    strangers = sorted(set(received) - set(wanted))
    assert (lost, doubled, strangers) == ([], [], [])


def one_send_at_a_time(fleet: Fleet) -> None:
    assert fleet.bridge("GET", "/ledger/overlaps") == []


def pace_kept(fleet: Fleet, gap_s: float) -> None:
    """No two hand-overs of a session began closer together than its gap."""
    starts: dict[str, list[datetime]] = defaultdict(list)
    for delivery in fleet.deliveries():
        starts[delivery["session"]].append(datetime.fromisoformat(delivery["started_at"]))
    gaps = [
        (later - earlier).total_seconds()
        for times in starts.values()
        for earlier, later in zip(sorted(times), sorted(times)[1:], strict=False)
    ]
    assert min(gaps, default=gap_s) >= gap_s


def adds_up(fleet: Fleet, campaign_id: int, **expected: int) -> None:
    """Each recipient has a row that says where it stands, and the counts are these."""
    assert fleet.counts(campaign_id) == {status: n for status, n in expected.items() if n}
    assert fleet.one("SELECT count(*) FROM messages WHERE slot IS NOT NULL OR status = 'processing'") == 0
