"""Which attempts receipts belong to: by send key, else by the provider's id, and only attempts that are ours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

Attempt = tuple[int, int]  # message id, number
OFFICIAL = "cloud:"  # what the ids of Meta's events begin with (bridge/cloud/webhooks.py)

_KEY = re.compile(r"(\d{1,18})\.(\d{1,5})")


@dataclass(frozen=True, slots=True)
class Sender:
    """Where an attempt was sent from. ``by``: who alone may tell of it, an official number itself or its business account;
    None: the bridge that it went to. ``provider_message_id`` as far as it is recorded."""

    by: list[str] | None
    provider_message_id: str | None


def of(db: Connection, receipts: Sequence[Any]) -> list[tuple[Attempt, Any]]:
    """Each receipt (a row with event_id, session and data) that is of an attempt of ours, with the attempt."""
    by_provider_id = _attempts_by_provider_id(db, receipts)
    found = [(attempt, receipt) for receipt in receipts if (attempt := _attempt(receipt.data, by_provider_id))]
    senders = _senders(db, sorted({message_id for (message_id, _), _ in found}))
    return [(attempt, receipt) for attempt, receipt in found if _ours(senders.get(attempt), receipt)]


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


def _senders(db: Connection, message_ids: list[int]) -> dict[Attempt, Sender]:
    """All attempts of these messages, and where they were sent from."""
    rows = db.execute(
        text(
            "SELECT a.message_id, a.number, a.provider_message_id,"
            " CASE WHEN c.device_id IS NOT NULL THEN ARRAY[d.session, c.business_id] END AS by"
            " FROM attempts a LEFT JOIN devices d ON d.id = a.device_id"
            " LEFT JOIN cloud_numbers c ON c.device_id = d.id WHERE a.message_id = ANY(:ids)"
        ),
        {"ids": message_ids},
    )
    return {(row.message_id, row.number): Sender(row.by, row.provider_message_id) for row in rows}


def _ours(sender: Sender | None, receipt: Any) -> bool:
    """Whether a receipt is of an attempt that this database has begun.

    A bridge may remember others, for instance when the database was restored from a backup, and another installation may
    send from the same number or account. They say nothing about the message that has the number here.
    """
    if sender is None:
        return False
    official = receipt.event_id.startswith(OFFICIAL)
    if sender.by is None:
        return not official
    known = sender.provider_message_id in (None, receipt.data.get("message_id"))
    return official and receipt.session in sender.by and known
