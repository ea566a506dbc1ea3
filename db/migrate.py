"""Bring the schema to this release: ``python -m db.migrate``, the Procfile's release step. Again changes nothing."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

import settings as environment
from db.engine import connect_once

FOLDER = Path(__file__).parent / "migrations"
_LOCK = 727_001  # any number of our own: two releases at once take turns


def migrate(engine: Engine) -> str:
    """Apply what is missing, all of it or nothing; returns the revision that the database then has.

    A newer release's database is left as it is: code can go back while the schema stays (R49).
    """
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        found = revision(connection)
        if found is not None and found > head():
            return found
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        return revision(connection) or ""


def revision(connection: Connection) -> str | None:
    """The revision of a database, None when it was never migrated."""
    return MigrationContext.configure(connection).get_current_revision()


def head() -> str:
    """The revision that this release needs."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return config


def main() -> int:
    try:
        settings = environment.load("database_url")
        revision_now = migrate(connect_once(environment.given(settings, "database_url"), name="migrate"))
    except environment.SettingsError as error:
        print(f"fanfare: {error}", file=sys.stderr)
        return 2
    except sqlalchemy.exc.ArgumentError as error:
        print(f"fanfare: DATABASE_URL is not an address of Postgres: {first_line(error)}", file=sys.stderr)
        return 2
    except sqlalchemy.exc.OperationalError as error:
        print(f"fanfare: Postgres does not answer at DATABASE_URL: {first_line(error)}", file=sys.stderr)
        return 1
    except Exception as error:
        logging.getLogger(__name__).debug("migration refused", exc_info=True)
        print(f"fanfare: the migration was refused and nothing changed: {first_line(error)}", file=sys.stderr)
        return 1
    print(f"fanfare: the database is at revision {revision_now}")
    return 0


def first_line(error: Exception) -> str:
    """An error in one line, for a person at a terminal."""
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]


if __name__ == "__main__":
    sys.exit(main())
