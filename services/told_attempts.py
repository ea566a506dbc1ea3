"""Which attempts receipts belong to: by send key, else by the provider's id, and only attempts that are ours."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

Attempt = tuple[int, int]  # message id, number

_KEY = re.compile(r"(\d{1,18})\.(\d{1,4})")


def of(db: Connection, receipts: Sequence[Any]) -> list[tuple[Attempt, Any]]:
    """Each receipt (a row with session and data) that is of an attempt of ours, with the attempt."""
    by_provider_id = _attempts_by_provider_id(db, receipts)
    found = [(attempt, receipt) for receipt in receipts if (attempt := _attempt(receipt.data, by_provider_id))]
    senders = _senders(db, sorted({message_id for (message_id, _), _ in found}))
    return [(attempt, receipt) for attempt, receipt in found if _ours(senders, attempt, receipt.session)]


def _attempt(data: dict[str, Any], by_provider_id: dict[str, Attempt]) -> Attempt | None:
    """The attempt that a receipt belongs to: by send key, else by the provider's id."""
    match = _KEY.fullmatch(str(data.get("key") or ""))
    if match:
        return int(match[1]), int(match[2])
    return by_provider_id.get(str(data.get("message_id") or ""))


def _attempts_by_provider_id(db: Connection, receipts: Sequence[Any]) -> dict[str, Attempt]:
    ids = [str(r.data.get("message_id")) for r in receipts if not r.data.get("key") and r.data.get("message_id")]
    if not ids:
        return {}
    rows = db.execute(
        text("SELECT provider_message_id, message_id, number FROM attempts WHERE provider_message_id = ANY(:ids)"),
        {"ids": ids},
    )
    return {row.provider_message_id: (row.message_id, row.number) for row in rows}


def _senders(db: Connection, message_ids: list[int]) -> dict[Attempt, list[str] | None]:
    """All attempts of these messages, and who alone may tell of them: of an official number's attempts the number itself, or
    its business account; None: whoever knows the send key."""
    rows = db.execute(
        text(
            "SELECT a.message_id, a.number, CASE WHEN c.device_id IS NOT NULL THEN ARRAY[d.session, c.business_id] END AS by"
            " FROM attempts a LEFT JOIN devices d ON d.id = a.device_id"
            " LEFT JOIN cloud_numbers c ON c.device_id = d.id WHERE a.message_id = ANY(:ids)"
        ),
        {"ids": message_ids},
    )
    return {(row.message_id, row.number): row.by for row in rows}


def _ours(senders: Mapping[Attempt, list[str] | None], attempt: Attempt, session: str) -> bool:
    """Whether a receipt is of an attempt that this database has begun.

    A bridge may remember others, for instance when the database was restored from a backup, and another installation may
    send from another number of the same account. They say nothing about the message that has the number here.
    """
    if attempt not in senders:
        return False
    by = senders[attempt]
    return by is None or session in by
