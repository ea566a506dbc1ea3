"""The named statements in db/sql/: one file each, with a comment that says why it is as it is."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from sqlalchemy import TextClause, text

FOLDER = Path(__file__).parent / "sql"


@cache
def query(name: str) -> TextClause:
    """The statement of ``db/sql/{name}.sql``, read once."""
    return text((FOLDER / f"{name}.sql").read_text(encoding="utf-8"))
