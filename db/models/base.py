"""What every table shares."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, MetaData, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

NOW = text("clock_timestamp()")

# Names that the migration can state and an error message can be read by.
NAMES = {
    "ix": "%(table_name)s_%(column_0_N_name)s",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(table_name)s_%(constraint_name)s",
    "fk": "%(table_name)s_%(column_0_name)s_fkey",
    "pk": "%(table_name)s_pkey",
}


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {str: Text, datetime: DateTime(timezone=True), dict[str, Any]: JSONB}  # noqa: RUF012


Id = Annotated[int, mapped_column(BigInteger, Identity(always=True), primary_key=True)]
WorkspaceId = Annotated[int, mapped_column(BigInteger, ForeignKey("workspaces.id"))]


def one_of(column: str, *values: str) -> str:
    """The text of a CHECK that a column holds one of these values."""
    return "{} IN ({})".format(column, ", ".join(f"'{value}'" for value in values))
