"""What there is to send from, as a launch and a distribution see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from domain import pacing
from services.trouble import STRIKES_OUT

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Candidate:
    """A device that a campaign could use. ``bridge_away``: nobody knows whether it can send, so it is not refused."""

    id: int
    name: str
    provider: str
    state: str
    can_send: bool
    qr_required: bool
    bridge_away: bool
    strikes: int
    error_reason: str | None
    min_gap_s: float
    max_gap_s: float
    left_today: int | None

    @property
    def official(self) -> bool:
        """A number of Meta's Cloud API, with its windows and templates."""
        return self.provider == "cloud"

    @property
    def ready(self) -> bool:
        """Known to be able to send."""
        return self.can_send and not self.bridge_away

    @property
    def may_send(self) -> bool:
        """Not known to be unable to."""
        return self.can_send or self.bridge_away

    @property
    def speed(self) -> float:
        """Messages a second over the day to come: by its gap, or by what its daily cap leaves of today; 0 at its cap."""
        by_gap = pacing.speed(self.min_gap_s, self.max_gap_s)
        return by_gap if self.left_today is None else min(by_gap, self.left_today / DAY_S)

    @property
    def may_come_back(self) -> bool:
        """Unable, but not for long enough to be sure that it stays so."""
        return self.strikes < STRIKES_OUT

    def trouble(self) -> dict[str, object]:
        """Which phone needs what, for the person who was refused."""
        return {
            "id": self.id,
            "name": self.name,
            "state": self.state,
            "qr_required": self.qr_required,
            "last_error": self.error_reason,
        }


_COLUMNS = (
    "SELECT d.id, d.name, d.provider, d.state, d.can_send, d.qr_required, b.away_since IS NOT NULL AS bridge_away,"
    " d.strikes, d.error_reason, d.min_gap_s, d.max_gap_s,"
    " CASE WHEN d.daily_cap IS NOT NULL THEN greatest(0, d.daily_cap - CASE"
    "   WHEN d.day >= (clock_timestamp() AT TIME ZONE w.time_zone)::date THEN d.day_count ELSE 0 END) END AS left_today"
    " FROM devices d JOIN bridges b ON b.address = d.bridge_address JOIN workspaces w ON w.id = d.workspace_id"
)


def for_launch(db: Connection, workspace_id: int, device_ids: Sequence[int] | None) -> list[Candidate]:
    """The chosen devices of a workspace, or all of them (None), in the order of their ids."""
    rows = db.execute(
        text(
            f"{_COLUMNS} WHERE d.workspace_id = :workspace_id"
            " AND (CAST(:ids AS bigint[]) IS NULL OR d.id = ANY(:ids)) ORDER BY d.id"
        ),
        {"workspace_id": workspace_id, "ids": None if device_ids is None else list(device_ids)},
    )
    return [Candidate(**row) for row in rows.mappings()]


def of_campaign(db: Connection, campaign_id: int) -> list[Candidate]:
    """The devices that a campaign may use and that were not taken out of it."""
    rows = db.execute(
        text(
            f"{_COLUMNS} JOIN campaign_devices cd ON cd.device_id = d.id"
            " WHERE cd.campaign_id = :id AND cd.out_at IS NULL ORDER BY d.id"
        ),
        {"id": campaign_id},
    )
    return [Candidate(**row) for row in rows.mappings()]
