"""A fake of Meta's Graph API: the answers, errors and signed webhooks of the Cloud API, for any number of numbers.

In a test (``sys.path`` must have this folder)::

    with Graph(webhooks="http://127.0.0.1:8000/webhooks/cloud", app_secret="...") as graph:
        number = graph.add_number()              # .id (phone number id), .business_id, .token, .phone (digits)
        graph.add_template(number.business_id, "offer", "en", BODY)
        ...                                      # CLOUD_GRAPH_URL is graph.url
        graph.to("+972501234567")                # what a person was sent, refused tries as well: list[Received]

**Taken or not.** ``Received`` has ``at`` (time.monotonic()), ``number_id``, ``to`` (digits), ``key``
(``biz_opaque_callback_data``), ``payload``, ``wamid`` (None: not taken) and ``error`` (Meta's code: refused).
``received`` is all of them in order, ``taken()`` those that went out; ``uploads`` are the files.

**How a person is treated** is graph_behaviours.py: by the number's last digits, or ``behave(to, "refuse:131056",
"accept")``, one behaviour a message, the last one from then on. ``trouble(id, "refuse:190")`` does so to all
that is asked of a number, or of a business account, and ``trouble(id, None)`` ends it. ``set(number.id, status="BANNED",
token="...")`` changes a number.

**Limits** are off until set: ``pair_gap_s`` (131056), ``per_second`` for each number (130429), ``window``: ``"answer"`` or
``"webhook"``, how free text to people who have not written is refused (131047).

**Webhooks**: ``statuses`` of what is taken, each with the seconds after which it is due; ``webhooks.repeats``,
``.disorder_s``, ``.batch``, ``.pause()``, ``.resume()``, ``.waiting``, ``.posts``, ``.url``, ``.post_raw(body, signature)``.
People and Meta speak by ``write``, ``wants``, ``account``; ``tell`` posts any status of what was taken.

As a process: ``python tests/cloud/graph.py --port 0 --webhooks URL --secret S --latency-ms 60 --numbers 1`` prints one
line of JSON ({"url", "numbers": [...]}) and serves until SIGTERM. ``POST /_control/<method>`` with {"args": [], "kwargs":
{}} calls a method of ``Graph`` (``webhooks.pause`` too); ``GET /_arrivals`` is {number id: [time.monotonic() of each
message taken]}, ``GET /_posts`` [[time.monotonic(), seconds, status] of each webhook].
"""

from __future__ import annotations

import socket
import threading
from typing import Any

import graph_payloads
import uvicorn
import uvloop
from graph_app import GraphApp
from graph_behaviours import Behaviour, read
from graph_control import Controlled, run
from graph_webhooks import Webhooks
from graph_world import Number, Received, Upload, World, digits
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

BODY: list[dict[str, Any]] = [{"type": "BODY", "text": "Hello {{1}}!"}]
APP_SECRET = "the app secret of the tests"
STATUSES = (("sent", 0.02), ("delivered", 0.1), ("read", 0.2))


class Protocol(HttpToolsProtocol):
    """uvicorn's, which also lets the application close the connection without an answer."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {"hang_up": {"call": self.transport.abort}}


class Graph:
    """The fake, served by a thread of this process from the moment it is made until ``close``."""

    def __init__(
        self, *, webhooks: str | None = None, app_secret: str = APP_SECRET, latency_s: float = 0.0, port: int = 0
    ) -> None:
        self.world = World()
        self.webhooks = Webhooks(webhooks, app_secret)
        self.statuses: tuple[tuple[str, float], ...] = STATUSES
        listener = socket.create_server(("127.0.0.1", port), backlog=2048)
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.app = GraphApp(self.world, self.url, self._accepted, latency_s)
        config = uvicorn.Config(
            Controlled(self, self.app),
            http=Protocol,
            lifespan="off",
            ws="none",
            access_log=False,
            log_config=None,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, args=[listener], name="graph", daemon=True)
        self._thread.start()

    def __enter__(self) -> Graph:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop serving, also what is asked now, and drop the webhooks that were not accepted."""
        self._server.should_exit = True
        self._thread.join()
        self.webhooks.close()

    def add_number(
        self, business_id: str | None = None, phone: str | None = None, token: str | None = None, **words: str
    ) -> Number:
        """A new number; ``words`` are status, quality_rating, messaging_limit and verified_name."""
        return self.world.add_number(business_id, phone, token, words)

    def add_template(
        self, business_id: str, name: str, language: str, components: list[dict[str, Any]], **words: str
    ) -> dict[str, Any]:
        """``words`` go before these: status APPROVED, category MARKETING, parameter_format POSITIONAL."""
        told = {"status": "APPROVED", "category": "MARKETING", "parameter_format": "POSITIONAL", **words}
        template = {"id": self.world.new_id("7"), "name": name, "language": language, "components": components, **told}
        self.world.templates[business_id].append(template)
        return template

    def set(self, number_id: str, **words: str) -> None:
        for name, word in words.items():
            setattr(self.world.numbers[number_id], name, word)

    def limit(self, **limits: Any) -> None:
        """``pair_gap_s``, ``per_second``, ``window``."""
        for name, value in limits.items():
            setattr(self.world, name, value)

    def behave(self, to: str, *written: str) -> None:
        self.world.behave(to, written)

    def trouble(self, node: str, written: str | None) -> None:
        """Treat all that is asked of a number or a business account so; None ends it."""
        if written is None:
            self.world.troubles.pop(node, None)
        else:
            self.world.troubles[node] = read(written)

    @property
    def received(self) -> list[Received]:
        return list(self.world.received)

    @property
    def uploads(self) -> list[Upload]:
        return list(self.world.uploads.values())

    def to(self, phone: str) -> list[Received]:
        return list(self.world.by_person[digits(phone)])

    def taken(self) -> list[Received]:
        return [each for each in self.received if each.wamid is not None]

    def tell(self, received: Received, word: str, code: int | None = None, after_s: float = 0.0) -> None:
        """Post a status of a message: sent, delivered, read, or failed with Meta's code."""
        number = self.world.numbers[received.number_id]
        told = graph_payloads.messages(
            number,
            contacts=[{"profile": {"name": "Dana"}, "wa_id": received.to}],
            statuses=[graph_payloads.status(received, word, code)],
        )
        self.webhooks.put(number.business_id, told, after_s)

    def write(
        self,
        number_id: str,
        sender: str,
        text: str = "Hello",
        *,
        name: str = "Dana",
        message: dict[str, Any] | None = None,
    ) -> str:
        """A person writes to a number, which opens their window; returns the message's id. ``message`` is Meta's object of
        another kind than text: graph_payloads.BUTTON, .IMAGE."""
        number, sender = self.world.numbers[number_id], digits(sender)
        self.world.open_window(number_id, sender)
        wamid = self.world.new_id("wamid.in")
        told = {"id": wamid, **(message or {"type": "text", "text": {"body": text}})}
        self.webhooks.put(number.business_id, graph_payloads.inbound(number, sender, name, told))
        return wamid

    def wants(self, number_id: str, sender: str, value: str = "stop", *, name: str = "Dana") -> None:
        """A person stops (or resumes) marketing messages."""
        number = self.world.numbers[number_id]
        self.webhooks.put(number.business_id, graph_payloads.preference(number, digits(sender), name, value))

    def account(self, business_id: str, field: str, value: dict[str, Any]) -> None:
        """What Meta tells of an account or number, by the field of its webhook; graph_payloads has values for some."""
        self.webhooks.put(business_id, graph_payloads.change(field, value))

    def _accepted(self, received: Received, behaviour: Behaviour) -> None:
        if behaviour.word == "quiet":
            return
        if behaviour.word == "fail":
            self.tell(received, "failed", behaviour.number, self.statuses[0][1] if self.statuses else 0.0)
            return
        for word, after_s in self.statuses:
            self.tell(received, word, None, after_s)

    def _serve(self, listener: socket.socket) -> None:
        with listener:
            uvloop.run(self._server.serve(sockets=[listener]))


if __name__ == "__main__":
    run(Graph, APP_SECRET)
