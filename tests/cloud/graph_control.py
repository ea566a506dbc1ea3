"""A fake Graph as a process of its own, and what is asked of it there: everything that a test can do with it."""

from __future__ import annotations

import argparse
import dataclasses
import json
import signal
import threading
from collections import defaultdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send


class Controlled:
    """The paths of control, before those of Graph."""

    def __init__(self, graph: Any, app: ASGIApp) -> None:
        self._graph = graph
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].startswith("/_"):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        looks = {"/_arrivals": self._arrivals, "/_posts": self._posts}
        look = looks.get(scope["path"])
        answer = await self._control(request) if look is None else look()
        await answer(scope, receive, send)

    def _arrivals(self) -> Response:
        found: dict[str, list[float]] = defaultdict(list)
        for received in self._graph.taken():
            found[received.number_id].append(received.at)
        return JSONResponse(found)

    def _posts(self) -> Response:
        return JSONResponse([(post.at, post.took_s, post.status) for post in self._graph.webhooks.posts])

    async def _control(self, request: Request) -> Response:
        method = request.url.path.removeprefix("/_control/")
        if method.startswith("_"):
            return Response(status_code=404)
        called: Any = self._graph
        for name in method.split("."):
            called = getattr(called, name)
        body = json.loads(await request.body() or b"{}")
        found = called(*body.get("args", []), **body.get("kwargs", {})) if callable(called) else called
        return JSONResponse(_plain(found))


def _plain(found: Any) -> Any:
    if isinstance(found, list):
        return [_plain(each) for each in found]
    return dataclasses.asdict(found) if dataclasses.is_dataclass(found) else found


def run(graph: Any, app_secret: str) -> None:
    """Serve ``graph``, the class, by the command line until SIGTERM."""
    parser = argparse.ArgumentParser(description="A fake of Meta's Graph API")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--webhooks")
    parser.add_argument("--secret", default=app_secret)
    parser.add_argument("--latency-ms", type=float, default=0)
    parser.add_argument("--numbers", type=int, default=1)
    parser.add_argument("--batch", type=int, default=20, help="changes in one webhook, at most")
    given = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    settings = {"webhooks": given.webhooks, "app_secret": given.secret, "latency_s": given.latency_ms / 1000}
    with graph(**settings, port=given.port) as running:
        running.webhooks.batch = given.batch
        numbers = [_plain(running.add_number()) for _ in range(given.numbers)]
        print(json.dumps({"url": running.url, "numbers": numbers}), flush=True)  # noqa: T201 who started it reads it
        ended.wait()
