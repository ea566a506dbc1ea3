"""The sidecar is killed three times under a campaign: nobody is lost, nobody gets it twice, and doubts are settled.

The whole of it, 1,000 people over 10 sessions, is in benchmarks/baileys.py.
"""

from __future__ import annotations

from collections.abc import Callable

from campaign_kills import kill_under_campaign
from fleet import Fleet
from partner import FakeWhatsApp


def test_three_kills_under_a_campaign(make_fleet: Callable[..., Fleet], fake: FakeWhatsApp) -> None:
    fleet = make_fleet(send_limit_s=3, worker_threads=8)
    story = kill_under_campaign(fleet, fake, people=120, sessions=4, kills=3, gap_s=0.05, within_s=90)
    assert (story.lost, story.doubled) == ([], [])
    # In doubt for ever is only what the sidecar died over before a byte had left: all else is told by its receipts.
    assert story.counts.get("read", 0) + story.counts.get("unknown", 0) == story.people
    assert story.counts.get("unknown", 0) <= 3
