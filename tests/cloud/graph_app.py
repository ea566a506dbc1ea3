"""The HTTP side of the fake Graph: who may ask what, and the answers."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import graph_messages
from graph_behaviours import Behaviour
from graph_errors import Told, error
from graph_world import Number, Received, Upload, World, digits
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

FILE_TYPES = {
    "audio/aac",
    "audio/mp4",
    "audio/mpeg",
    "audio/ogg",
    "application/pdf",
    "application/zip",
    "image/jpeg",
    "image/png",
    "text/plain",
    "video/mp4",
}


class GraphApp:
    """``accepted`` is called with what was taken and how that person is to be treated."""

    def __init__(
        self, world: World, url: str, accepted: Callable[[Received, Behaviour], None], latency_s: float
    ) -> None:
        self._world = world
        self._url = url
        self._accepted = accepted
        self.latency_s = latency_s
        self.page = 100  # the most rows of a list in one answer
        self.requests: list[tuple[float, str, str]] = []  # (time.monotonic(), method, path) of all but messages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if self.latency_s:
            await asyncio.sleep(self.latency_s)
        try:
            response = await self._answer(request)
        except ClientDisconnect:  # a process that was stopped in the middle of its request
            return
        if response is not None:
            await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response | None:
        _, node, edge, *_ = [*request.url.path.strip("/").split("/"), "", ""]
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not any(number.token == token for number in self._world.numbers.values()):
            return _json(error(190, "Error validating access token"))
        number = self._world.numbers.get(node)
        if number is not None and number.token != token:
            number = None
        if number is not None and (request.method, edge) == ("POST", "messages"):
            return await self._message(request, number)
        self.requests.append((time.monotonic(), request.method, request.url.path))
        if (trouble := self._world.troubles.get(node)) is not None:
            return _json(error(trouble.number)) if trouble.word == "refuse" else await self._broken(request, trouble)
        if number is not None and (request.method, edge) == ("POST", "media"):
            return await self._media(request, number)
        if number is not None and (request.method, edge) == ("GET", ""):
            return JSONResponse(_fields(number, request))
        return self._of_business(request, node, edge, token)

    def _of_business(self, request: Request, node: str, edge: str, token: str) -> Response:
        numbers = [number for number in self._world.numbers.values() if number.business_id == node]
        may = any(number.token == token for number in numbers)
        if may and (request.method, edge) == ("GET", "phone_numbers"):
            return self._page(request, [_fields(number, request) for number in numbers])
        if may and (request.method, edge) == ("GET", "message_templates"):
            return self._page(request, self._world.templates[node])
        if may and (request.method, edge) == ("POST", "subscribed_apps"):
            self._world.subscribed.append(node)
            return JSONResponse({"success": True})
        return _json(error(100, f"Object with ID '{node}' does not exist, or permissions are missing", 33))

    async def _message(self, request: Request, number: Number) -> Response | None:
        payload = json.loads(await request.body())
        at = time.monotonic()
        to = digits(str(payload.get("to", "")))
        behaviour = self._world.behaviour(number.id, to)
        told = graph_messages.wrong(self._world, number, payload)
        if told is None and behaviour.word == "refuse":
            told = error(behaviour.number)
        if told is None and self._world.window == "answer" and not self._may_be_written_to(number, to, payload):
            told = error(131047)
        if told is None and behaviour.taken and (too_fast := self._world.too_fast(number.id, to)) is not None:
            told = error(too_fast)
        wamid = self._world.new_id("wamid.") if told is None and behaviour.taken else None
        key = payload.get("biz_opaque_callback_data")
        code = None if told is None else told.body["error"]["code"]
        received = Received(at, number.id, to, key, payload, wamid, code)
        self._world.note(received)
        if told is not None:
            return _json(told)
        if wamid is not None:
            if self._world.window == "webhook" and not self._may_be_written_to(number, to, payload):
                behaviour = Behaviour("fail", 131047)
            self._accepted(received, behaviour)
        return await self._as_treated(request, behaviour, received)

    async def _as_treated(self, request: Request, behaviour: Behaviour, received: Received) -> Response | None:
        if behaviour.word not in ("accept", "quiet", "fail"):
            return await self._broken(request, behaviour)
        template = {"message_status": "accepted"} if received.payload.get("type") == "template" else {}
        return JSONResponse(
            {
                "messaging_product": "whatsapp",
                "contacts": [{"input": received.payload["to"], "wa_id": received.to}],
                "messages": [{"id": received.wamid, **template}],
            }
        )

    async def _broken(self, request: Request, behaviour: Behaviour) -> Response | None:
        if behaviour.word in ("silence", "lost_silence"):
            await request.body()
            while (await request.receive())["type"] != "http.disconnect":
                pass
            return None
        if behaviour.word in ("cut", "lose"):
            request.scope["extensions"]["hang_up"]["call"]()
            await asyncio.sleep(0)
            return None
        if behaviour.word == "http":
            return HTMLResponse("<h1>Not Meta</h1>", behaviour.number)
        return HTMLResponse("<h1>Welcome</h1>")

    def _may_be_written_to(self, number: Number, to: str, payload: dict[str, Any]) -> bool:
        return payload.get("type") == "template" or self._world.is_open(number.id, to)

    async def _media(self, request: Request, number: Number) -> Response:
        async with request.form() as form:
            file = form.get("file")
            if form.get("messaging_product") != "whatsapp" or file is None or isinstance(file, str):
                return _json(error(100, "The parameters messaging_product and file are required."))
            mimetype = str(file.content_type)
            if mimetype not in FILE_TYPES:
                return _json(
                    error(100, f"Param file must be a file with one of the types that we know, not {mimetype}")
                )
            upload = Upload(self._world.new_id("8"), number.id, mimetype, str(file.filename), await file.read())
        self._world.uploads[upload.id] = upload
        return JSONResponse({"id": upload.id})

    def _page(self, request: Request, rows: list[dict[str, Any]]) -> Response:
        limit = min(int(request.query_params.get("limit", 25)), self.page)
        first = int(request.query_params.get("after", 0))
        body: dict[str, Any] = {"data": rows[first : first + limit]}
        if first + limit < len(rows):
            query = urlencode({**request.query_params, "after": first + limit})
            body["paging"] = {
                "cursors": {"after": str(first + limit)},
                "next": f"{self._url}{request.url.path}?{query}",
            }
        return JSONResponse(body)


def _fields(number: Number, request: Request) -> dict[str, Any]:
    known = {
        "id": number.id,
        "display_phone_number": f"+{number.phone[:3]} {number.phone[3:5]}-{number.phone[5:]}",
        "verified_name": number.verified_name,
        "quality_rating": number.quality_rating,
        "status": number.status,
        "whatsapp_business_manager_messaging_limit": number.messaging_limit,
    }
    asked = request.query_params.get("fields")
    return known if asked is None else {name: known[name] for name in asked.split(",") if name in known}


def _json(told: Told) -> Response:
    return JSONResponse(told.body, told.status)
