"""Statements that are planned once a connection. To plan ``begin`` costs Postgres four times what running it does."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import Connection, CursorResult, TextClause, text
from sqlalchemy.dialects import postgresql

from db.queries import query

_READY = "prepared"  # in Connection.info: the statements that this session of Postgres knows
_NUMBERED = postgresql.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


def execute(db: Connection, name: str, values: Mapping[str, object], *, after: str | None = None) -> CursorResult[Any]:
    """Run ``db/sql/{name}.sql``, which this connection prepares at its first use.

    ``after`` is a statement that runs before it, in the same message to Postgres: what it locks is held for no longer than
    Postgres needs, and the second sees what there is by then.

    Postgres infers the type of each parameter from the statement, and rounds a fraction given where it inferred an
    integer: so a parameter that is a fraction stands where only one can, or in a CAST.
    """
    prepare, run = _statements(name, after)
    ready: set[str] = db.info.setdefault(_READY, set())
    if name not in ready:
        db.execute(prepare)
        ready.add(name)
    return db.execute(run, values)


@cache
def _statements(name: str, after: str | None) -> tuple[TextClause, TextClause]:
    """PREPARE and EXECUTE of a named statement, the latter with what goes before it."""
    numbered = query(name).compile(dialect=_NUMBERED)
    arguments = ", ".join(f":{parameter}" for parameter in numbered.positiontup or ())
    return text(f"PREPARE {name} AS {numbered}"), text(f"{after + '; ' if after else ''}EXECUTE {name} ({arguments})")
