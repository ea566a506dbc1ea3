"""Open pages of the console without a browser: websocket sessions that ask for each part when it is due, as a page does.

A browser takes some 100 MB and half a core a page; of thirty we would measure the browsers.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

ANSWER_WITHIN_S = 30.0


class PageFailedError(Exception):
    """The console showed an error instead of the page."""


@dataclass(frozen=True)
class Address:
    """A page by its name and the query of its address."""

    page: str
    query: str


@dataclass(frozen=True)
class Run:
    """One part of a page drawn anew: of which page, when asked for (monotonic), and how long until all of it was there."""

    page: str
    at_s: float
    took_s: float


@dataclass
class Visitor:
    """One open page. ``runs`` are those of its parts; the page's own first run is not one of them."""

    url: str
    cookie: str
    address: Address
    runs: list[Run] = field(default_factory=list)
    _script: str = ""
    _every_s: dict[str, float] = field(default_factory=dict)  # the parts of the page and how often each is due

    async def stay(self, until_s: float) -> None:
        """Open the page at some moment of the next five seconds, and keep it open until then (monotonic)."""
        await asyncio.sleep(random.uniform(0, 5))
        async with connect(
            f"{self.url.replace('http', 'ws', 1)}/_stcore/stream",
            subprotocols=["streamlit"],  # type: ignore[list-item] # a NewType of str
            additional_headers={"Cookie": self.cookie},
            max_size=None,
        ) as server:
            await self._ask(server, BackMsg())
            due = dict.fromkeys(self._every_s, time.monotonic())
            while due and (soonest := min(due.values())) < until_s:
                await asyncio.sleep(max(0.0, soonest - time.monotonic()))
                part = min(due, key=due.__getitem__)
                message = BackMsg()
                message.rerun_script.fragment_id = part
                message.rerun_script.is_auto_rerun = True
                asked_s = time.monotonic()
                await self._ask(server, message)
                self.runs.append(Run(self.address.page, asked_s, time.monotonic() - asked_s))
                due = {name: due.get(name, asked_s) for name in self._every_s}
                due[part] = asked_s + self._every_s.get(part, 0.0)

    async def _ask(self, server: ClientConnection, message: BackMsg) -> None:
        """Have something run, and take in all that it draws. Raises PageFailedError."""
        message.rerun_script.query_string = self.address.query
        message.rerun_script.page_name = "" if self._script else self.address.page
        message.rerun_script.page_script_hash = self._script
        message.rerun_script.context_info.locale = "en-US"
        message.rerun_script.context_info.url = f"{self.url}/{self.address.page}"
        await server.send(message.SerializeToString())
        async with asyncio.timeout(ANSWER_WITHIN_S):
            while not self._take(ForwardMsg.FromString(await server.recv(decode=False))):
                pass

    def _take(self, told: ForwardMsg) -> bool:
        """Whether the run is over."""
        match told.WhichOneof("type"):
            case "new_session" if not told.metadata.run.fragment_ids:  # the whole page
                self._every_s.clear()
            case "navigation":
                self._script = told.navigation.page_script_hash
            case "auto_rerun":
                self._every_s[told.auto_rerun.fragment_id] = told.auto_rerun.interval
            case "delta" if told.delta.new_element.WhichOneof("type") == "exception":
                raise PageFailedError(told.delta.new_element.exception.message)
            case "delta" if told.delta.new_element.alert.format == Alert.ERROR:
                raise PageFailedError(told.delta.new_element.alert.body)
            case "script_finished":
                return told.script_finished in (
                    ForwardMsg.FINISHED_SUCCESSFULLY,
                    ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
                )
        return False


async def stay(visitors: Sequence[Visitor], until_s: float) -> None:
    """All of them at once."""
    async with asyncio.TaskGroup() as group:
        for visitor in visitors:
            group.create_task(visitor.stay(until_s))
