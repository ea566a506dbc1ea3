"""Tell the dispatcher, at commit and through the database, that there is work: so nothing but Postgres need be there
to launch, and a launch whose word is lost is found by the dispatcher's own look a second later."""

from __future__ import annotations

from sqlalchemy import Connection, text

CHANNEL = "fanfare_work"


def dispatcher(db: Connection) -> None:
    """Wake the dispatcher when this transaction commits."""
    db.execute(text(f"SELECT pg_notify('{CHANNEL}', '')"))
