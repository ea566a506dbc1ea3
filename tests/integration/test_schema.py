"""The migrated schema is the declared one, down to the text of each CHECK and index."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, TextClause, text

from db.engine import connect_once
from db.migrate import head, migrate, revision
from db.models import Base

_CONSTRAINTS = text(
    "SELECT conrelid::regclass || '.' || conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE connamespace = 'public'::regnamespace AND conrelid <> 'alembic_version'::regclass"
)
_INDEXES = text(
    "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
)
_DEFAULTS = text(
    "SELECT attrelid::regclass || '.' || attname, pg_get_expr(adbin, adrelid) FROM pg_attrdef"
    " JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum"
)
_TRIGGERS = text("SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal")
_FUNCTIONS = text("SELECT proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace")


@pytest.fixture
def empty(unmigrated: str) -> Engine:
    return connect_once(unmigrated, name="tests")


def shape(db: Connection, *parts: TextClause) -> dict[str, str]:
    """What the database says of itself, by name."""
    return {row[0]: row[1] for part in parts for row in db.execute(part)}


def test_alembic_finds_nothing_to_change(engine: Engine) -> None:
    with engine.connect() as db:
        context = MigrationContext.configure(db, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_constraints_indexes_and_defaults_are_the_declared_ones_word_for_word(engine: Engine, empty: Engine) -> None:
    with empty.begin() as db:
        Base.metadata.create_all(db)
        db.execute(text("CREATE TABLE alembic_version (version_num text)"))
        declared = shape(db, _CONSTRAINTS, _INDEXES, _DEFAULTS)
    with engine.connect() as db:
        migrated = shape(db, _CONSTRAINTS, _INDEXES, _DEFAULTS)
    assert "messages.messages_processing_is_held" in declared
    assert "messages_slot_key" in declared
    assert "messages.due_at" in declared
    assert migrated == declared


def test_migrating_again_changes_nothing(engine: Engine, empty: Engine) -> None:
    everything = (_CONSTRAINTS, _INDEXES, _DEFAULTS, _TRIGGERS, _FUNCTIONS)
    with empty.connect() as db:
        assert revision(db) is None
    assert migrate(empty) == head()
    with empty.begin() as db:
        db.execute(text("INSERT INTO workspaces (name, default_country, time_zone) VALUES ('Kept', 'IL', 'UTC')"))
        before = shape(db, *everything)
    assert migrate(empty) == head()
    with empty.connect() as db:
        assert shape(db, *everything) == before
        assert revision(db) == head()
        assert db.execute(text("SELECT name FROM workspaces")).scalar_one() == "Kept"
        assert db.execute(text("SELECT address FROM bridges")).scalars().all() == ["default"]


def test_two_releases_at_once_take_turns(empty: Engine) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(migrate, [empty] * 4)) == [head()] * 4
    with empty.connect() as db:
        assert db.execute(text("SELECT count(*) FROM alembic_version")).scalar_one() == 1


def test_a_migration_that_fails_leaves_nothing_behind(empty: Engine) -> None:
    with empty.begin() as db:
        db.execute(text("CREATE TABLE attempts (id int)"))  # in the way of the first migration's last table
    with pytest.raises(Exception, match="attempts"):
        migrate(empty)
    with empty.connect() as db:
        assert db.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).scalars().all() == [
            "attempts"
        ]


def test_no_schema_is_made_outside_the_migrations() -> None:
    root = Path(__file__).parents[2]
    rooms = ("actors", "api", "bridge", "console", "services")
    makers = [
        str(path.relative_to(root))
        for room in rooms
        for path in (root / room).rglob("*.py")
        if "create_all" in path.read_text() or "ALTER TABLE" in path.read_text()
    ]
    assert makers == []


def test_a_database_of_a_newer_release_is_left_as_it_is(empty: Engine) -> None:
    migrate(empty)
    with empty.begin() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert migrate(empty) == "9999"
