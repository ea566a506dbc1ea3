"""The rows that nobody is written to for, kept with their campaign as they came."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

from domain.people import RejectedRow
from services.copy_rows import copy_rows

PHONE_KEPT = 100  # characters of a cell that should have held a number
_CELL_KEPT = 1000


def copy_rejected(db: Connection, campaign_id: int, rejected: Sequence[RejectedRow]) -> None:
    """Add rejected rows to those of a campaign."""
    copy_rows(
        db,
        "rejected_rows",
        ("campaign_id", "row", "phone", "reason", "cells"),
        (
            (
                campaign_id,
                row.row,
                row.raw[:PHONE_KEPT],
                row.reason,
                {"cells": [cell[:_CELL_KEPT] for cell in row.cells], "first_row": row.first_row},
            )
            for row in rejected
        ),
    )


def every(db: Connection, campaign_id: int) -> list[RejectedRow]:
    """All of them, in their order."""
    rows = db.execute(
        text("SELECT row, phone, reason, cells FROM rejected_rows WHERE campaign_id = :id ORDER BY row"),
        {"id": campaign_id},
    )
    return [
        RejectedRow(row.row, row.phone, row.reason, tuple(row.cells.get("cells", ())), row.cells.get("first_row"))
        for row in rows
    ]
