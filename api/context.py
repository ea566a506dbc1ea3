"""What the endpoints share: the database, the bridges, the workspace, the request's key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar
from uuid import uuid4

from fastapi import Depends, Header, Path, Request
from sqlalchemy import Connection, Engine

from bridge.directory import Directory
from db import engine as database
from services import workspaces
from services.cloud import Cloud
from services.metrics import Recent
from services.repeats import Keyed
from services.workspaces import Workspace
from settings import Settings

PATIENCE_S = 3.0  # how long a request waits for a database that is away
LARGEST_ID = 2**63 - 1
WHO = "api"

Result = TypeVar("Result")


@dataclass(frozen=True)
class Context:
    settings: Settings
    engine: Engine
    bridges: Directory
    cloud: Cloud | None
    metrics: Recent = field(default_factory=Recent)

    def run(self, work: Callable[[Connection], Result]) -> Result:
        """Run a service in one transaction."""
        return database.run(self.engine, work, patience_s=PATIENCE_S)

    def run_here(self, work: Callable[[Connection, int], Result]) -> Result:
        """The same for a service that is given the id of the workspace."""
        return self.run(lambda db: work(db, self.workspace(db).id))

    def workspace(self, db: Connection) -> Workspace:
        return workspaces.first(db, default_country=self.settings.default_country, time_zone=self.settings.time_zone)


async def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


async def _key(
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            max_length=255,
            min_length=1,
            description="Any text of yours, unique for this request. The same request with the same key has one effect "
            "within 24 hours, and gets the same answer.",
        ),
    ] = None,
) -> str:
    # Without one the request still has a key of its own, since a transaction whose COMMIT got no answer is run again.
    return idempotency_key or f"request {uuid4()}"


Here = Annotated[Context, Depends(_context)]
Key = Annotated[str, Depends(_key)]
Id = Annotated[int, Path(ge=1, le=LARGEST_ID)]


def keyed(workspace_id: int, key: str, path: str, asked: Any) -> Keyed:
    """A request under its key; ``asked`` is all that it asks for, as JSON values, dates or bytes' digests."""
    content = json.dumps([path, asked], sort_keys=True, default=str).encode()
    return Keyed(workspace_id, key, hashlib.sha256(content).hexdigest())
