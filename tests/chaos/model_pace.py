"""What a device may send by its gap and its hourly cap, counted beside the engine."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from model_seen import Device
from sqlalchemy import Connection, text

from bridge.protocol import NotSent, SendResult
from domain.pacing import CATCH_UP_S
from services.deliver import Begun, Recorded

REFUNDED = ("throttled", "bridge_unreachable", "not_connected", "logged_out")


class Pace:
    """How much each device has used of each hour."""

    def __init__(self) -> None:
        self._used: Counter[tuple[int, datetime]] = Counter()

    def began(self, db: Connection, begun: Begun, before: Device) -> None:
        """It came neither before its time nor over a cap, and leaves the gap. ``before``: its device, as it was."""
        now = db.execute(
            text(
                "SELECT d.hourly_cap, d.next_send_at, c.min_delay_s"
                " FROM attempts a JOIN devices d ON d.id = a.device_id JOIN messages m ON m.id = a.message_id"
                " LEFT JOIN campaigns c ON c.id = m.campaign_id WHERE a.message_id = :id AND a.number = :number"
            ),
            {"id": begun.message_id, "number": begun.attempt},
        ).one()
        assert begun.begun_at.timestamp() >= before.next_send_at, f"{begun} came before its time"
        made_good_s = CATCH_UP_S if begun.in_flight_limit > 1 else 0.0
        paced_from = max(before.next_send_at, begun.begun_at.timestamp() - made_good_s)
        gap_s = now.next_send_at.timestamp() - paced_from
        assert gap_s >= max(before.min_gap_s, now.min_delay_s or 0) - 1e-5, f"{begun} leaves a gap of {gap_s} s"
        self._used[_hour(begun)] += 1
        used = self._used[_hour(begun)]
        assert now.hourly_cap is None or used <= now.hourly_cap, f"{begun} is number {used} in this hour"

    def recorded(self, begun: Begun, result: SendResult, recorded: Recorded) -> None:
        """Where nothing could be sent nothing was used."""
        if isinstance(result, NotSent) and result.code in REFUNDED and recorded.status != "late":
            self._used[_hour(begun)] -= 1

    def an_hour_passed(self) -> None:
        self._used.clear()


def _hour(begun: Begun) -> tuple[int, datetime]:
    return begun.device_id, begun.begun_at.replace(minute=0, second=0, microsecond=0)
