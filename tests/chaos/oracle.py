"""The oracle: what the simulator's ledger says people were handed, against what the database says of them.

The ledger is kept by the simulator, which shares no code with the sender; nothing in it keeps a person from being there
twice. Whatever was done to the fleet, once it is quiet the two must agree, person by person and attempt by attempt.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from fleet import Fleet
from ledger import one_send_at_a_time
from waiting import until

REACHED = ("sent", "delivered", "read")
ENDED = (*REACHED, "failed", "unknown", "cancelled", "suppressed")


@dataclass
class Verdict:
    """What is wrong, in numbers and with examples: all empty when the promises were kept.

    ``lost``: said to have been sent, and no hand-over; ``unaccounted``: no row, or one that never came to an end;
    ``doubled``: handed over more often than decided; ``denied``: handed over by an attempt that is said not to have gone
    out; ``miscounted``: a campaign whose figures are not those of its rows.
    """

    people: int
    statuses: Counter[str]
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    denied: list[str] = field(default_factory=list)
    unaccounted: list[str] = field(default_factory=list)
    miscounted: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> dict[str, list[str]]:
        """What is not empty."""
        found = {name: getattr(self, name) for name in ("lost", "doubled", "denied", "unaccounted", "miscounted")}
        return {name: items for name, items in found.items() if items}


_ROWS = """
SELECT m.id, m.phone, m.status, m.slot, m.attempt, c.status AS campaign_status,
       coalesce(jsonb_object_agg(a.number, a.outcome) FILTER (WHERE a.number IS NOT NULL), '{}') AS outcomes,
       (SELECT count(*) FROM audit WHERE audit.action = 'retry_unknown' AND audit.id = m.requeued_by) AS decisions
FROM messages m LEFT JOIN attempts a ON a.message_id = m.id LEFT JOIN campaigns c ON c.id = m.campaign_id
GROUP BY m.id, c.id ORDER BY m.id
"""


def judge(fleet: Fleet, wanted: list[str], *, earlier: list[dict[str, Any]] | None = None) -> Verdict:
    """Compare everything that was ever handed over with every row. ``wanted`` are all numbers launched to (one entry for
    each launch that names them); ``earlier`` are hand-overs of a ledger that was wiped since."""
    handed: dict[str, list[str]] = defaultdict(list)
    for delivery in [*(earlier or []), *deliveries(fleet)]:
        handed[delivery["phone"]].append(delivery["key"])
    rows = fleet.rows(_ROWS)
    verdict = Verdict(people=len(wanted), statuses=Counter(row.status for row in rows))
    _account(verdict, rows, wanted, handed)
    for row in rows:
        _compare(verdict, row, handed[row.phone])
    _count(verdict, fleet)
    return verdict


def kept(fleet: Fleet, wanted: list[str], *, earlier: list[dict[str, Any]] | None = None) -> Verdict:
    """The verdict, which must find nothing wrong; no session sent two messages at once."""
    verdict = judge(fleet, wanted, earlier=earlier)
    assert verdict.wrong == {}
    one_send_at_a_time(fleet)
    return verdict


def deliveries(fleet: Fleet) -> list[dict[str, Any]]:
    """Every hand-over of the ledger, with the person's number."""
    people = fleet.bridge("GET", "/ledger")["people"]
    return [
        {**delivery, "phone": "+" + person["to"].partition("@")[0]}
        for person in people
        for delivery in person["deliveries"]
    ]


def _account(verdict: Verdict, rows: list[Any], wanted: list[str], handed: dict[str, list[str]]) -> None:
    """Everybody who was launched to has a row that has come to an end, and nobody else was sent to."""
    missing = Counter(wanted) - Counter(row.phone for row in rows)
    verdict.unaccounted += [f"{phone} has no row" for phone in missing]
    verdict.doubled += [f"{phone} has a row too many" for phone in Counter(row.phone for row in rows) - Counter(wanted)]
    own = {(row.phone, str(row.id)) for row in rows}
    verdict.doubled += [
        f"{phone} was handed {key}, which is no message to them"
        for phone, keys in handed.items()
        for key in keys
        if (phone, key.partition(".")[0]) not in own
    ]
    verdict.unaccounted += [
        f"message {row.id} is {row.status}, slot {row.slot}"
        for row in rows
        if row.status not in ENDED or row.slot is not None
    ]
    verdict.doubled += [f"{phone} was never launched to" for phone in set(handed) - set(wanted)]


def _compare(verdict: Verdict, row: Any, keys: list[str]) -> None:
    own = [key for key in keys if key.partition(".")[0] == str(row.id)]
    if len(own) > 1 + row.decisions:
        verdict.doubled.append(f"message {row.id}: {own}")
    if row.status in REACHED and not own:
        verdict.lost.append(f"message {row.id} is {row.status}")
    for key in own:
        outcome = row.outcomes.get(key.partition(".")[2], "never begun")
        if outcome not in (*REACHED, "unknown"):
            verdict.denied.append(f"{key} is {outcome}")
    if own and row.status not in (*REACHED, "unknown"):
        verdict.denied.append(f"message {row.id} is {row.status}, handed over by {own}")


def _count(verdict: Verdict, fleet: Fleet) -> None:
    """Each campaign's row shows what its messages are."""
    for row in fleet.rows("SELECT id, status, finished_at IS NOT NULL AS ended FROM campaigns ORDER BY id"):
        counts = fleet.counts(row.id)
        waiting = counts.get("queued", 0) + counts.get("processing", 0)
        if not row.ended or waiting:
            verdict.miscounted.append(f"campaign {row.id} is {row.status} with {counts}")
            continue
        reached = sum(counts.get(status, 0) for status in REACHED)
        missed = counts.get("failed", 0) + counts.get("unknown", 0)
        end = "failed" if not reached else "partial" if missed else "completed"
        if row.status not in (end, "cancelled"):
            verdict.miscounted.append(f"campaign {row.id} is {row.status}, not {end}: {counts}")
        if not _comes_to_show(fleet, row.id):
            verdict.miscounted.append(f"campaign {row.id} goes on showing other counts than {counts}")


def _comes_to_show(fleet: Fleet, campaign_id: int) -> bool:
    """Whether the counts on a campaign's row, which follow what its messages are by some seconds, come to be those."""
    shown = "SELECT counts FROM campaigns WHERE id = :id"
    try:
        until(lambda: fleet.one(shown, id=campaign_id) == fleet.counts(campaign_id), "its counts", within_s=60)
    except AssertionError:
        return False
    return True
