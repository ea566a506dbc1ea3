"""``enqueue_campaign`` and ``aggregate_campaigns``, the two ends of a campaign's life, and the counts by the minute."""

from __future__ import annotations

import logging
from functools import partial

import dramatiq

from actors import once, queues
from actors.runtime import Runtime, runtime
from db.engine import run
from services import aggregate, distribute, rates
from services.aggregate import Progress

log = logging.getLogger("fanfare.actors")

PROGRESS_EVERY_S = 30


@dramatiq.actor(queue_name=queues.CAMPAIGNS, priority=queues.CAMPAIGNS_PRIORITY)
def enqueue_campaign(campaign_id: int) -> None:
    """Spread the recipients of an accepted campaign over its devices. Again changes nothing."""
    dealt = run(runtime().engine, lambda db: distribute.distribute(db, campaign_id))
    if dealt is not None:
        log.info("[WA_BROADCAST] broadcast=%s queued=%s on its devices", campaign_id, dealt)


@dramatiq.actor(queue_name=queues.UPKEEP, priority=queues.UPKEEP_PRIORITY)
def aggregate_campaigns() -> None:
    """Count the open campaigns, each in a transaction of its own, and end those of which nothing waits."""
    world = runtime()
    with once.running(world.redis, "aggregate_campaigns"):
        for campaign_id in run(world.engine, aggregate.to_count):
            _report(world, run(world.engine, partial(aggregate.aggregate, campaign_id=campaign_id)))


@dramatiq.actor(queue_name=queues.UPKEEP, priority=queues.UPKEEP_PRIORITY)
def count_minutes() -> None:
    """Count what was sent and failed in the last minutes."""
    world = runtime()
    with once.running(world.redis, "count_minutes"):
        run(world.engine, rates.count)


def _report(world: Runtime, progress: Progress) -> None:
    """A final line with the totals, and a progress line every 30 s while it runs."""
    counts = f"total={sum(progress.counts.values())} " + " ".join(
        f"{status}={n}" for status, n in sorted(progress.counts.items())
    )
    if progress.final:
        log.info("[WA_BROADCAST] broadcast=%s ended %s: %s", progress.campaign_id, progress.status, counts)
    elif progress.status == "running" and once.first(world.redis, f"progress:{progress.campaign_id}", PROGRESS_EVERY_S):
        log.info("[WA_BROADCAST] broadcast=%s running: %s", progress.campaign_id, counts)
