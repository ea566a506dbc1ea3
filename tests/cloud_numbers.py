"""Numbers of the Cloud API as they stand in the database once they were added and looked at."""

from __future__ import annotations

from people import workspace
from sqlalchemy import Connection, text

from domain.pacing import DEFAULTS

CLOUD = DEFAULTS["cloud"]
BUSINESS = "business-1"


def add_numbers(
    db: Connection,
    count: int,
    *,
    gap_s: float = CLOUD.min_gap_s,
    in_flight: int = CLOUD.in_flight,
    pair_gap_s: float | None = CLOUD.pair_gap_s,
    business_id: str = BUSINESS,
    name: str = "number",
) -> list[int]:
    """Numbers that can send, with sessions ``number1`` and so on; their tokens do not open."""
    db.execute(text("INSERT INTO bridges (address, provider) VALUES ('cloud', 'cloud') ON CONFLICT DO NOTHING"))
    ids = list(
        db.execute(
            text(
                "INSERT INTO devices (workspace_id, name, provider, session, bridge_address, min_gap_s, max_gap_s,"
                " in_flight_limit, pair_gap_s, can_send, connected, state, next_check_at)"
                " SELECT :workspace_id, :name || n, 'cloud', :name || n, 'cloud', :gap, :gap, :in_flight, :pair_gap,"
                " true, true, 'open', 'infinity' FROM generate_series(1, :count) n ORDER BY n RETURNING id"
            ),
            {
                "workspace_id": workspace(db),
                "name": name,
                "gap": gap_s,
                "in_flight": in_flight,
                "pair_gap": pair_gap_s,
                "count": count,
            },
        ).scalars()
    )
    db.execute(
        text(
            "INSERT INTO cloud_numbers (device_id, business_id, sealed_token) SELECT unnest(CAST(:ids AS bigint[])), :b, ''"
        ),
        {"ids": ids, "b": business_id},
    )
    return ids
