"""The console as an ASGI application: Streamlit, and the two requests that set and forget the session's cookie."""

from __future__ import annotations

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
    """Load what every page needs before the first visitor comes, and take it out of the garbage collector's sight.

    Streamlit collects all garbage after every run of a script; with pandas, Plotly and SQLAlchemy loaded that costs
    40-56 ms of the interpreter each time, and with 30 sessions it is the console's whole time.
    """
    set_up(world().settings.log_level, "console")
    for module in ("pandas", "plotly.graph_objects"):
        importlib.import_module(module)
    gc.collect()
    gc.freeze()
    yield


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
