"""What the provider took, and then told that it had not sent: the message fails with the reason, or waits again."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from sqlalchemy import Connection

from bridge.protocol import NotSent
from db.queries import query
from domain import cloud_codes
from services import not_sent
from services.not_sent import Tried

LIMIT = 200


@dataclass(frozen=True, slots=True)
class RefusedLater:
    """An attempt that a *failed* event has proven not sent, whose message still waits for the provider's word; ``leased``:
    its time for that is not over."""

    tried: Tried
    campaign_id: int | None
    code: str
    reason: str
    leased: bool


def waiting(db: Connection) -> list[RefusedLater]:
    """Those that are to be settled, at most LIMIT."""
    rows = db.execute(query("refused_later"), {"limit": LIMIT})
    return [
        RefusedLater(
            Tried(row.message_id, row.attempt, row.device_id, row.bridge_address),
            row.campaign_id,
            row.code,
            row.reason,
            row.leased,
        )
        for row in rows
    ]


def settle(db: Connection, refused: RefusedLater, *, max_attempts: int, rng: Random) -> str | None:
    """As if the answer to the send had said so. Returns the message's new status, None when it was settled meanwhile."""
    policy = cloud_codes.policy(refused.code)
    result = NotSent(refused.code, refused.reason, "receipt", policy.retryable, policy.wait_s)
    return not_sent.record(db, refused.tried, result, max_attempts=max_attempts, rng=rng, lease_holds=refused.leased)
