"""Requests to Meta's Graph API, and what came of each: an answer, or none.

A number's access token goes to its address alone: no redirect is followed, and no address that an answer names is asked.
Neither tokens nor people's numbers are in anything that is told of a request.
"""

from __future__ import annotations

import json
import re
import threading
import time
from dataclasses import dataclass
from typing import Any, Final

import requests

from bridge.cloud.whole_answers import WholeAnswers
from bridge.unwritten import nothing_was_written
from domain.text import made_storable

CONNECT_TIMEOUT_S: Final = 5.0
# A connection that has been idle for longer may be closing at the other end just now, which would leave the next send in
# doubt; making a new one costs a few round trips.
IDLE_S: Final = 4.0
LONGEST_ANSWER: Final = 8 * 2**20  # bytes; the longest that is asked for, a page of templates, is far below
_PIECE: Final = 64 * 2**10  # bytes that are read at once
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Answer:
    """``body`` can be stored, and is empty when it is no JSON object; ``retry_after_s`` is the header's, when it gives
    seconds."""

    status: int
    body: dict[str, Any]
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """``written``: whether a byte of the request may have left. ``late``: the time was up, or would have been before the
    answer ended. ``reason`` is a name of an error."""

    written: bool
    late: bool
    reason: str


Told = Answer | NoAnswer


def usable(token: str) -> bool:
    """Whether a token can stand in a request at all."""
    return _TOKEN.fullmatch(token) is not None


class Graph:
    """The API at ``url``, in one version. Safe for threads: each sends on a connection of its own."""

    def __init__(self, url: str, version: str, *, send_limit_s: int, http_timeout_s: float) -> None:
        self._url = f"{url.rstrip('/')}/{version}"
        # With the time for the answer it must stay below the life of a session's mutex (settings.py).
        self._timeouts_s = (min(CONNECT_TIMEOUT_S, http_timeout_s - send_limit_s), float(send_limit_s))
        self._local = threading.local()

    def send(self, path: str, token: str, body: dict[str, Any]) -> Told:
        """POST a message on this thread's own connection, which is kept for the next one until ``forget``."""
        kept = self._kept()
        told = self._request(kept, "POST", f"{self._url}/{path}", token, self._timeouts_s, json=body)
        self._local.used_at = time.monotonic()
        return told

    def forget(self) -> None:
        """Close this thread's connection: what comes on it now is nobody's answer."""
        self._kept().close()

    def ask(self, method: str, path: str, token: str, timeout_s: float, **how: Any) -> Told:
        """Anything else, on a connection of its own; ``how`` is of ``requests``."""
        with _session() as session:
            timeouts_s = min(CONNECT_TIMEOUT_S, timeout_s), timeout_s
            return self._request(session, method, f"{self._url}/{path}", token, timeouts_s, **how)

    def _kept(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = _session()
            self._local.used_at = time.monotonic()
        elif time.monotonic() - self._local.used_at > IDLE_S:
            session.close()
        return session

    @staticmethod
    def _request(
        session: requests.Session, method: str, url: str, token: str, timeout_s: tuple[float, float], **how: Any
    ) -> Told:
        how |= {"headers": {"Authorization": f"Bearer {token}"}, "allow_redirects": False, "stream": True}
        ends_at = time.monotonic() + timeout_s[1]
        try:
            with session.request(method, url, timeout=timeout_s, **how) as answer:
                content = _content(answer)
        except requests.RequestException as error:
            written = not nothing_was_written(error)
            late = isinstance(error, requests.Timeout) or time.monotonic() >= ends_at
            return NoAnswer(written, written and late, type(error).__name__)
        if content is None:
            return NoAnswer(True, True, "TooLong")
        return Answer(answer.status_code, _json(content), _seconds(answer.headers.get("Retry-After")))


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    for scheme in ("http://", "https://"):
        session.mount(scheme, WholeAnswers())
    return session


def _content(answer: requests.Response) -> bytes | None:
    """All of an answer; None when it does not end where the longest would have."""
    content = b""
    for piece in answer.iter_content(_PIECE):
        content += piece
        if len(content) > LONGEST_ANSWER:
            return None
    return content


def _json(content: bytes) -> dict[str, Any]:
    try:
        body = made_storable(json.loads(content))
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _seconds(header: str | None) -> float | None:
    return float(header) if header is not None and re.fullmatch(r"[0-9]{1,6}", header.strip()) else None
