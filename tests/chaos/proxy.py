"""A TCP proxy that a test puts between a process and a server, to do to the connections what networks do."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

CHUNK = 65536


@dataclass
class Fault:
    """What happens to bytes on their way. ``to_server`` says in which direction ``cut_after`` and ``at`` look.

    ``latency_s``: each piece is held up so long, with ``one_way`` in that direction only. ``holds``: a piece that contains
    these bytes, and all that follows on its connection, waits until the fault is another. ``black_hole``: pieces vanish,
    connections stay open. ``cut_after``: the connection is reset when so many bytes have passed. ``at``: it is reset at a
    piece that contains these bytes, which still passes when ``after`` is set: then what it asked for happens, and its answer
    is lost; with ``following``, only when the piece before it contained those. ``twice``: each piece passes again 10 ms
    later, when the connection may be used for something else.
    """

    to_server: bool = True
    latency_s: float = 0.0
    one_way: bool = False
    holds: bytes = b""
    black_hole: bool = False
    cut_after: int | None = None
    at: bytes | None = None
    after: bool = False
    following: bytes = b""
    twice: bool = False
    times: int | None = None  # how often ``cut_after`` and ``at`` strike; None: always


class Proxy:
    """Listens on a free port of 127.0.0.1 and passes everything on to ``port`` until told otherwise. Safe to use from a
    test's thread; the bytes are moved by a thread of its own."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.port = 0
        self.struck = 0  # connections that ``cut_after`` or ``at`` has reset
        self.accepted = 0
        self.held = 0  # pieces that ``latency_s`` or ``holds`` holds up now
        self._fault: Fault | None = None
        self._refusing = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._muted: set[asyncio.StreamWriter] = set()  # they get no answer any more
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    def set(self, fault: Fault | None) -> None:
        """From now on, for connections that stand as well as for new ones."""
        self._fault = fault

    def reset_all(self) -> None:
        """Cut every connection that stands, with RST."""
        self._call(self._cut_all)

    def refuse(self, refusing: bool) -> None:
        """Whether new connections are reset as soon as they are made."""
        self._refusing = refusing

    def close(self) -> None:
        self._call(self._cut_all)
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        assert not self._thread.is_alive(), "a proxy does not end"

    def _call(self, work: Callable[[], Any]) -> None:
        done = threading.Event()

        def act() -> None:
            work()
            done.set()

        self._loop.call_soon_threadsafe(act)
        assert done.wait(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        # Nothing is cancelled, and the server closed last: what it has only just accepted would never be closed.
        for listening in server.sockets:
            self._loop.remove_reader(listening.fileno())
        self._refusing, self._fault = True, None
        while passing := asyncio.all_tasks() - {asyncio.current_task()}:
            self._cut_all()
            await asyncio.wait(passing, timeout=0.05)
        server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        both = [writer]
        try:
            if self._refusing:
                raise ConnectionRefusedError
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self._to)
            both.append(to_server)
            self._writers.update(both)
            await asyncio.gather(
                self._pass(reader, to_server, both, to_server_side=True),
                self._pass(from_server, writer, both, to_server_side=False),
            )
        except OSError:
            _reset(*both)
        finally:
            for each in both:
                each.close()
            await asyncio.gather(*(each.wait_closed() for each in both), return_exceptions=True)
            self._writers.difference_update(both)
            self._muted.difference_update(both)

    async def _pass(
        self, source: asyncio.StreamReader, to: asyncio.StreamWriter, both: Any, *, to_server_side: bool
    ) -> None:
        passed, before = 0, b""
        try:
            while piece := await source.read(CHUNK):
                fault = self._fault
                if fault is not None:
                    if fault.black_hole or to in self._muted:
                        continue
                    if fault.latency_s and (fault.to_server == to_server_side or not fault.one_way):
                        self.held += 1
                        await asyncio.sleep(fault.latency_s)
                        self.held -= 1
                    if fault.holds and fault.holds in piece and fault.to_server == to_server_side:
                        self.held += 1
                        while self._fault is fault:
                            await asyncio.sleep(0.01)
                        self.held -= 1
                    if fault.to_server == to_server_side:
                        passed += len(piece)
                        if self._strikes(fault, passed, before, piece):
                            if fault.after:
                                self._muted.update(set(both) - {to})
                                to.write(piece)
                                await to.drain()
                                await asyncio.sleep(0.05)  # so that it arrives before the connection is gone
                            _reset(*both)
                            return
                        if fault.twice:
                            self._loop.call_later(0.01, _write, to, piece)
                before = piece
                to.write(piece)
                await to.drain()
            to.write_eof()
        except (OSError, RuntimeError):
            _reset(*both)

    def _strikes(self, fault: Fault, passed: int, before: bytes, piece: bytes) -> bool:
        if fault.times is not None and self.struck >= fault.times:
            return False
        hit = (fault.cut_after is not None and passed >= fault.cut_after) or (
            fault.at is not None and fault.at in piece and fault.following in before
        )
        self.struck += hit
        return hit

    def _cut_all(self) -> None:
        _reset(*self._writers)


def _write(to: asyncio.StreamWriter, piece: bytes) -> None:
    if not to.is_closing():
        to.write(piece)


def _reset(*writers: asyncio.StreamWriter) -> None:
    """Close with RST: who is at the other end learns that the connection broke, not that it was finished."""
    for writer in writers:
        sock = writer.get_extra_info("socket")
        with suppress(OSError):  # it is gone already
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
