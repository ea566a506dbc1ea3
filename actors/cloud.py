"""What goes by the clock for Meta's Cloud API."""

from __future__ import annotations

import logging
from functools import partial

import dramatiq

from actors import once, queues
from actors.runtime import runtime
from db.engine import run
from services import sync_templates as syncing

log = logging.getLogger("fanfare.actors")


@dramatiq.actor(queue_name=queues.UPKEEP, priority=queues.UPKEEP_PRIORITY)
def sync_templates() -> None:
    """Bring the templates of all business accounts in line with Meta."""
    world = runtime()
    if world.cloud is None:
        return
    with once.running(world.redis, "sync_templates"):
        for fetched in syncing.sync_all(partial(run, world.engine), world.cloud):
            if fetched.trouble:
                log.warning("[CLOUD] account %s: no templates: %s", fetched.business_account_id, fetched.trouble)
            if fetched.unsubscribed:
                log.warning(
                    "[CLOUD] account %s: Meta does not send its receipts here: %s",
                    fetched.business_account_id,
                    fetched.unsubscribed,
                )
