"""What a benchmark asks of a fake Graph in another process: everything that a test can do with it."""

from __future__ import annotations

import dataclasses
import json
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
        answer = self._arrivals() if scope["path"] == "/_arrivals" else await self._control(request)
        await answer(scope, receive, send)

    def _arrivals(self) -> Response:
        found: dict[str, list[float]] = defaultdict(list)
        for received in self._graph.taken():
            found[received.number_id].append(received.at)
        return JSONResponse(found)

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
