"""What the overview shows, read in one transaction."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from db.queries import query
from services import forecast, metrics, rates
from services.forecast import Finish
from services.metrics import Figures


@dataclass(frozen=True, slots=True)
class Running:
    """A campaign that has not ended, with its counts as the aggregator last kept them; ``total`` 0: not counted yet."""

    id: int
    title: str
    status: str
    pause_reason: str | None
    total: int
    done: int


@dataclass(frozen=True, slots=True)
class Overview:
    """``waiting_stuck``: messages that wait on phones that cannot send."""

    figures: Figures
    phones: int
    phones_ready: int
    waiting_stuck: int
    running: tuple[Running, ...]


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast a campaign goes: messages a minute, None while nobody can tell, and how it will end."""

    per_minute: float | None
    finish: Finish


def speed(db: Connection, _workspace_id: int, campaign_id: int) -> Speed:
    """The speed of a running campaign now."""
    return Speed(rates.now(db, campaign_id), forecast.running(db, campaign_id))


def overview(db: Connection, workspace_id: int) -> Overview:
    """The figures of now, and the campaigns that have not ended, the newest first."""
    phones = db.execute(query("phones_ready"), {"workspace_id": workspace_id}).one()
    running = db.execute(query("open_campaigns"), {"workspace_id": workspace_id}).mappings()
    return Overview(
        figures=metrics.read(db, workspace_id),
        phones=phones.phones,
        phones_ready=phones.ready,
        waiting_stuck=phones.waiting_stuck,
        running=tuple(Running(**row) for row in running),
    )
