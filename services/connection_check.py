"""Can anything send? Asked of the bridges just before a launch, which then decides by what is written down (R4)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection

from bridge.protocol import BridgeAwayError, Told
from services import device_views, health, trouble

log = logging.getLogger("fanfare.launch")

Run = Callable[[Callable[[Connection], Any]], Any]  # runs a service in one transaction


def check(
    run: Run,
    look: Callable[[Sequence[str]], Mapping[str, Told]],
    workspace_id: int,
    device_ids: Sequence[int] | None,
    *,
    interval_s: float,
) -> None:
    """Ask the bridges of these devices (None: of all) and write down what they say; one that is away stops nothing.

    No transaction is open while bridges are asked. ``interval_s``: seconds between the regular looks at devices.
    """
    chosen = None if device_ids is None else list(device_ids)
    addresses = run(lambda db: device_views.addresses(db, workspace_id, chosen))
    for address, told in look(addresses).items():
        run(partial(_write_down, address=address, told=told, interval_s=interval_s))


def _write_down(db: Connection, address: str, told: Told, interval_s: float) -> None:
    if isinstance(told, BridgeAwayError):
        log.warning("[BRIDGE] %s is away (%s): a launch does not wait for it", address, told.reason)
        trouble.bridge_away(db, address, told.code, told.reason)
    else:
        health.record(db, address, told, interval_s=interval_s)
