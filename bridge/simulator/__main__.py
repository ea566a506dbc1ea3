"""``python -m bridge.simulator``: read the settings, listen, serve until SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import sqlite3
import sys
import time
from typing import NoReturn

import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

import failpoints
from bridge.simulator.app import Application
from bridge.simulator.ledger import Ledger
from bridge.simulator.outbox import Outbox
from bridge.simulator.rules import Rules
from bridge.simulator.sending import Sender
from bridge.simulator.sessions import Sessions
from bridge.simulator.store import Store
from settings import Settings, SettingsError, given, load

log = logging.getLogger("bridge.simulator")

DRAIN_S = 2
IDLE_CONNECTION_S = 75  # longer than the pauses between two sends, or a client would often meet a closing connection
FORGET_EVERY_S = 3600


class Protocol(HttpToolsProtocol):
    """uvicorn's, which also lets the application close the connection without an answer."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {"hang_up": {"call": self.transport.abort}}


async def serve(settings: Settings, listener: socket.socket) -> None:
    """Serve the contract on a bound socket until SIGTERM. Raises sqlite3.Error or OSError if its file is unusable."""
    store = Store(settings.data_dir / "simulator.db")
    ledger = Ledger(store)
    events_secret = given(settings, "events_secret") if settings.events_url else ""
    outbox = Outbox(store, settings.events_url, events_secret)
    sessions = Sessions(store, outbox)
    sessions.load(ledger.last_messages())
    sender = Sender(
        store=store,
        ledger=ledger,
        sessions=sessions,
        outbox=outbox,
        latency_s=settings.simulator_latency_ms / 1000,
        receipts=settings.simulator_receipts,
    )
    application = Application(
        store=store,
        ledger=ledger,
        sessions=sessions,
        rules=Rules(store),
        sender=sender,
        secret=given(settings, "bridge_secret"),
    )
    config = uvicorn.Config(
        application,
        http=Protocol,
        lifespan="off",
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        timeout_keep_alive=IDLE_CONNECTION_S,
        timeout_graceful_shutdown=DRAIN_S,
        backlog=2048,
    )
    log.info("[BRIDGE] simulator on http://%s:%d", *listener.getsockname()[:2])
    background = [asyncio.create_task(outbox.run()), asyncio.create_task(_forget_old(ledger))]
    try:
        await uvicorn.Server(config).serve(sockets=[listener])
    finally:
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        await store.committed()
        outbox.close()
        store.close()


async def _forget_old(ledger: Ledger) -> None:
    while True:
        ledger.forget_old(time.time())
        await asyncio.sleep(FORGET_EVERY_S)


def _refuse(words: str, code: int) -> NoReturn:
    sys.stderr.write(f"fanfare: {words}\n")
    raise SystemExit(code)


def main() -> None:
    try:
        settings = load("bridge_secret")
        if settings.events_url:
            settings = load("bridge_secret", "events_secret")
    except SettingsError as error:
        _refuse(str(error), 2)
    failpoints.arm(settings.failpoint)
    formatter = logging.Formatter(
        "%(asctime)s.%(msecs)03dZ %(levelname)s bridge %(message)s", datefmt="%Y-%m-%dT%H:%M:%S"
    )
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.basicConfig(level=settings.log_level, handlers=[handler])
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
    port = settings.simulator_port if settings.port is None else settings.port
    # uvicorn raises the signal that ended it once more; by then all is done.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    try:
        listener = socket.create_server((settings.host, port), backlog=2048)
    except OSError as error:
        reason = (error.strerror or "").partition(" (")[0]  # Python repeats the address behind it
        _refuse(f"cannot listen on {settings.host}:{port}: {reason}: choose another SIMULATOR_PORT or HOST", 1)
    with contextlib.closing(listener):
        try:
            uvloop.run(serve(settings, listener))
        except (sqlite3.Error, OSError) as error:
            _refuse(f"the simulator cannot use {settings.data_dir / 'simulator.db'}: {error}", 1)


if __name__ == "__main__":
    main()
