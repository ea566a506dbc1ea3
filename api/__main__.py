"""``python -m api``: check what it needs, listen, serve until SIGTERM."""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
import sys

import uvicorn
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

import settings as environment
from api.app import THREADS, build
from api.connection import Connection
from db import ready
from db.engine import connect, run
from logs import set_up
from services import cloud_numbers
from settings import Settings

log = logging.getLogger("fanfare.api")

DRAIN_S = 20
IDLE_CONNECTION_S = 75  # longer than a bridge's pauses, or it would often meet a closing connection


class CannotStartError(Exception):
    """Why the API cannot start, in one line."""


def main() -> int:
    try:
        settings = environment.load(
            "database_url", "redis_url", "bridge_url", "bridge_secret", "events_secret", "api_token"
        )
        set_up(settings.log_level, "api")
        ready.check(environment.given(settings, "database_url"), name="api")
        with contextlib.closing(_listener(settings)) as listener:
            _serve(settings, listener)
    except (environment.SettingsError, ready.NotReadyError, CannotStartError) as error:
        sys.stderr.write(f"fanfare: {error}\n")
        return 2
    return 0


def _warn_of_webhooks(settings: Settings, engine: Engine) -> None:
    """Where there are official numbers, say that Meta's word of their messages cannot arrive."""
    needed = {"CLOUD_APP_SECRET": settings.cloud_app_secret, "CLOUD_VERIFY_TOKEN": settings.cloud_verify_token}
    missing = [name for name, value in needed.items() if value is None]
    numbers = run(engine, cloud_numbers.any_there, patience_s=0.0)
    if missing and numbers:
        words = " and ".join(missing)
        log.warning("[WEBHOOKS] without %s Meta cannot tell what becomes of messages of official numbers", words)


def _listener(settings: Settings) -> socket.socket:
    port = settings.port or settings.api_port
    try:
        return socket.create_server((settings.host, port), backlog=2048)
    except OSError as error:
        words = (error.strerror or "").partition(" (")[0]  # Python repeats the address behind it
        raise CannotStartError(
            f"cannot listen on {settings.host}:{port}: {words}: choose another API_PORT or HOST"
        ) from None


def _serve(settings: Settings, listener: socket.socket) -> None:
    engine = connect(environment.given(settings, "database_url"), threads=THREADS + 2, name="api")
    with contextlib.suppress(SQLAlchemyError):  # it answered a moment ago, and is not needed to start
        _warn_of_webhooks(settings, engine)
    config = uvicorn.Config(
        build(settings, engine),
        http=Connection,
        loop="uvloop",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=IDLE_CONNECTION_S,
        timeout_graceful_shutdown=DRAIN_S,
    )
    # uvicorn raises the signal that ended it once more; by then all is done.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    sys.exit(main())
