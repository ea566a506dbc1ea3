"""The console as an ASGI application: Streamlit, and the two requests that set and forget the session's cookie."""

from __future__ import annotations

import asyncio
import gc
import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console import gate
from console.words import _
from console.world import world
from logs import set_up

LONGEST_TOKEN = 1000
AGAIN_S = 60.0


async def remember(request: Request) -> Response:
    """Keep a token in a cookie. It is ours or it is refused, so nobody can be given somebody else's session."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LONGEST_TOKEN:
            return Response(status_code=403)
    token = body.decode(errors="replace")
    if gate.read(token) is None:
        return Response(status_code=403)
    response = Response(status_code=204)
    https = request.url.scheme == "https" or request.headers.get("x-forwarded-proto") == "https"
    response.set_cookie(
        gate.COOKIE,
        token,
        max_age=world().settings.console_session_s,
        httponly=True,
        samesite="strict",
        secure=https,
    )
    return response


async def forget(_request: Request) -> Response:
    """Take the cookie away."""
    response = Response(status_code=204)
    response.delete_cookie(gate.COOKIE)
    return response


@asynccontextmanager
async def _warm(_app: Any) -> AsyncIterator[None]:
    """Load what every page needs before the first visitor comes, and keep the garbage collector's rounds short."""
    set_up(world().settings.log_level, "console")
    for module in ("pandas", "plotly.graph_objects", "streamlit.emojis", "console.shell"):
        importlib.import_module(module)
    _set_aside()
    again = asyncio.create_task(_set_aside_again())
    yield
    again.cancel()


async def _set_aside_again() -> None:
    while True:
        await asyncio.sleep(AGAIN_S)
        _set_aside()


def _set_aside() -> None:
    """Collect all garbage, and take what is left out of the collector's sight.

    Streamlit collects everything after every run of a script. With pandas, Plotly and SQLAlchemy loaded that costs 40-56 ms
    of the interpreter each time, and with thirty open pages, which live long as well, another 9 ms: more than half of the
    console's time. Once a minute all of it is looked at, so that nothing is kept that a closed page left behind.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _fault(_error: Exception) -> bool:
    """An error of ours: Streamlit has logged it whole, the page gets a sentence."""
    st.error(
        _("Something went wrong on this page, through a fault of ours. Nothing was changed. Reload it to try again.")
    )
    return True


app = st.App(
    "app.py",
    lifespan=_warm,
    routes=[Route("/enter", remember, methods=["POST"]), Route("/leave", forget, methods=["POST"])],
    on_script_error=_fault,
)
