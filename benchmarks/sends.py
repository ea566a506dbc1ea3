"""What the attempts of a run say: how many sends the pace allowed, how many were begun, how late.

The pace of a device is what was drawn for it: each attempt holds when it was due (the send before it, plus the drawn
gap) and when it began. ``allowed`` is when it would have been due had no earlier send of that device been late, so that
lateness which piles up counts as sends that are missing, and is not forgiven by the next gap. A device's first send is
left out of both: all devices are due at the one instant of the launch.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from fleet import Fleet

# A device that has something left to send is due for it, whether or not it has begun; then begun is null.
_SENDS = """
SELECT device_id, extract(epoch FROM due_at)::float8 AS due_s, extract(epoch FROM begun_at)::float8 AS begun_s
FROM attempts WHERE outcome IN ('sent', 'delivered', 'read')
UNION ALL
SELECT id, extract(epoch FROM next_send_at)::float8, NULL
FROM devices d WHERE EXISTS (SELECT 1 FROM messages m WHERE m.device_id = d.id AND m.status IN ('queued', 'processing'))
ORDER BY device_id, due_s
"""


@dataclass(frozen=True)
class Send:
    """One send after a device's first; Unix times. ``begun_s`` is None when it has not begun."""

    allowed_s: float
    due_s: float
    begun_s: float | None


@dataclass(frozen=True)
class Window:
    """Sends that were due and that were begun in a window, and how late those due were, in seconds."""

    due: int
    sent: int
    lateness_s: list[float]
    length_s: float

    @property
    def share(self) -> float:
        return self.sent / self.due if self.due else 0.0

    @property
    def rate(self) -> float:
        return self.sent / self.length_s


def of_fleet(fleet: Fleet) -> list[Send]:
    """All sends up to now but the first of each device."""
    return after_first((row.device_id, row.due_s, row.begun_s) for row in fleet.rows(_SENDS))


def after_first(rows: Iterable[tuple[int, float, float | None]]) -> list[Send]:
    """The sends of rows (device, due, begun), sorted by device and time."""
    sends: list[Send] = []
    for _, group in groupby(rows, key=lambda row: row[0]):
        late_s = 0.0
        for _, due_s, begun_s in list(group)[1:]:
            sends.append(Send(due_s - late_s, due_s, begun_s))
            late_s += 0.0 if begun_s is None else begun_s - due_s
    return sends


def window(sends: Sequence[Send], start_s: float, end_s: float) -> Window:
    """What happened from ``start_s`` to ``end_s``. What was due and has not begun counts as late up to the end."""
    return Window(
        due=sum(start_s <= send.allowed_s < end_s for send in sends),
        sent=sum(send.begun_s is not None and start_s <= send.begun_s < end_s for send in sends),
        lateness_s=[
            (end_s if send.begun_s is None else send.begun_s) - send.due_s
            for send in sends
            if start_s <= send.due_s < end_s
        ],
        length_s=end_s - start_s,
    )


def percentile(values: Sequence[float], percent: int) -> float:
    """The value below which ``percent`` of the values lie."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
