"""What the overview shows, read in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from services import metrics, workspaces
from services.metrics import Figures
from settings import Settings


@dataclass(frozen=True)
class Running:
    """A campaign that has not ended, with its counts as the aggregator last kept them."""

    id: int
    title: str
    status: str
    total: int
    done: int


@dataclass(frozen=True)
class Overview:
    figures: Figures
    phones: int
    phones_ready: int
    stopped_at: datetime | None
    running: list[Running]


def overview(db: Connection, settings: Settings) -> Overview:
    workspace = workspaces.first(db, default_country=settings.default_country, time_zone=settings.time_zone)
    phones = db.execute(
        text(
            "SELECT count(*) AS n, count(*) FILTER (WHERE d.can_send AND b.away_since IS NULL) AS ready"
            " FROM devices d JOIN bridges b ON b.address = d.bridge_address WHERE d.workspace_id = :id"
        ),
        {"id": workspace.id},
    ).one()
    running = db.execute(
        text(
            "SELECT c.id, c.title, c.status, coalesce(sum(n::bigint), 0)::bigint AS total,"
            " coalesce(sum(n::bigint) FILTER (WHERE state NOT IN ('queued', 'processing')), 0)::bigint AS done"
            " FROM campaigns c LEFT JOIN LATERAL jsonb_each_text(c.counts) AS counted (state, n) ON true"
            " WHERE c.workspace_id = :id AND c.status IN ('scheduled', 'accepted', 'queued', 'running', 'paused')"
            " GROUP BY c.id ORDER BY c.id DESC LIMIT 20"
        ),
        {"id": workspace.id},
    ).mappings()
    return Overview(
        figures=metrics.read(db, workspace.id),
        phones=phones.n,
        phones_ready=phones.ready,
        stopped_at=workspace.sending_stopped_at,
        running=[Running(**row) for row in running],
    )
