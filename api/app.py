"""The application: every route behind the one door."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import FastAPI, Response, Security
from fastapi.security import HTTPBearer
from fastapi_offline import FastAPIOffline
from sqlalchemy import Engine

import settings as environment
import wiring
from api import (
    broadcasts,
    control,
    devices,
    launches,
    media,
    messages,
    people,
    reports,
    sessions,
    system,
    templates,
    whatsapp,
)
from api.context import Context
from api.door import Door
from api.errors import answer_errors, error, refusals
from api.event_writer import EventWriter
from api.events import Events
from api.readiness import Readiness
from api.webhooks import CloudWebhooks
from settings import Settings

THREADS = 16  # requests that work on the database at the same time

EVERYWHERE = refusals(
    {
        401: "UNAUTHORIZED: the token is missing or wrong",
        422: "INVALID: a field is wrong, and `details.field` names it",
        503: "DATABASE_AWAY: try again soon",
    }
)
ABOUT = """
WhatsApp broadcasts that account for every person.

Every address below `/api/` needs the header `Authorization: Bearer` with the API token. Errors are
`{"error_code", "message", "details"}`: the code is stable, the message is for a person, and `details.field` names a
field that is wrong. Every request that sends takes an `Idempotency-Key`. The bridge posts its events to
`/events/bridge`, signed with `X-Signature: sha256=…`, the HMAC of the body; Meta its webhooks to `/webhooks/cloud`.
"""


def build(settings: Settings, engine: Engine) -> FastAPI:
    """The API over a database; ``engine`` needs THREADS connections and two more. It is disposed of at the end."""
    bridges, cloud = wiring.bridges(settings, engine)
    context = Context(settings, engine, bridges, cloud)
    writer = EventWriter(engine)
    readiness = Readiness(engine, environment.given(settings, "redis_url"))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        writer.start()
        yield
        writer.close()
        bridges.close()
        readiness.close()
        engine.dispose()

    app = FastAPIOffline(
        title="Fanfare", summary="WhatsApp broadcasts", description=ABOUT, version="1", lifespan=lifespan
    )
    app.state.context = context
    answer_errors(app)
    app.add_middleware(Door, token=environment.given(settings, "api_token"))
    # First, because it is asked for more often than all others together.
    events = Events(writer, environment.given(settings, "events_secret"))
    app.add_route("/events/bridge", events.take, methods=["POST"], include_in_schema=False)
    webhooks = CloudWebhooks(writer, app_secret=settings.cloud_app_secret, verify_token=settings.cloud_verify_token)
    app.add_route("/webhooks/cloud", webhooks.verify, methods=["GET"], include_in_schema=False)
    app.add_route("/webhooks/cloud", webhooks.take, methods=["POST"], include_in_schema=False)
    in_the_docs = [Security(HTTPBearer(auto_error=False, description="The API token"))]  # the door checks it
    modules = (launches, broadcasts, reports, control, messages, media, templates, people, devices, sessions, system)
    for module in (*modules, whatsapp):
        app.include_router(module.router, dependencies=in_the_docs, responses=EVERYWHERE)

    @app.get("/healthz", tags=["Health"])
    async def healthz() -> dict[str, str]:
        """This process answers."""
        return {"status": "ok"}

    @app.get("/readyz", tags=["Health"], responses={503: {"description": "NOT_READY: `details` names what is away"}})
    async def readyz(response: Response) -> object:
        """Postgres answers and is migrated, and Redis answers."""
        faults = await readiness.faults()
        if faults:
            words = ", ".join(f"{name} {fault}" for name, fault in faults.items())
            return error(503, "NOT_READY", f"Not ready: {words}.", faults)
        return {"status": "ok"}

    return app
