"""A server whose every answer a test has written down, connection by connection."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

Answer = tuple[int, dict[str, Any]]


@contextmanager
def scripted(script: Sequence[Sequence[Answer]], headers: str = "") -> Iterator[tuple[str, list[list[str]]]]:
    """A server that gives its nth connection the nth list of answers, one a request whatever is asked, and then hangs up:
    its address, and what each connection was asked. ``headers``: lines that every answer has besides, with CRLF."""
    asked: list[list[str]] = [[] for _ in script]
    listener = socket.create_server(("127.0.0.1", 0))
    connections: list[socket.socket] = []

    def answer(connection: socket.socket, answers: Sequence[Answer], requests: list[str]) -> None:
        with connection, connection.makefile("rwb") as stream:
            for status, body in answers:
                if not (path := _request(stream)):
                    return
                requests.append(path)
                content = json.dumps(body).encode()
                head = f"HTTP/1.1 {status} Scripted\r\n{headers}Content-Length: {len(content)}\r\n\r\n"
                stream.write(head.encode() + content)
                stream.flush()

    def accept() -> None:
        with ThreadPoolExecutor(len(script)) as threads:
            for answers, requests in zip(script, asked, strict=True):
                try:
                    connections.append(listener.accept()[0])
                except OSError:
                    return
                threads.submit(answer, connections[-1], answers, requests)

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
    finally:
        for each in (listener, *connections):
            with suppress(OSError):  # it has hung up already
                each.shutdown(socket.SHUT_RDWR)
        thread.join()
        listener.close()


def _request(stream: Any) -> str:
    """Read one request; its path, empty when the client has hung up."""
    first = stream.readline().decode()
    length = 0
    while (line := stream.readline().strip().lower()) != b"":
        name, _, value = line.partition(b":")
        length = int(value) if name == b"content-length" else length
    stream.read(length)
    return first.split()[1] if first else ""
