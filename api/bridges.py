"""The bridges as the API uses them: by address, and asked all at once before a launch."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

import settings as environment
from bridge.directory import DEFAULT, Directory
from bridge.protocol import Bridge, BridgeAwayError, BridgeRefusedError, SessionStatus
from settings import Settings

LOOK_S = 5.0  # for all bridges together
_ONE_S = 4.5  # for one of them, so that its answer is in before time is up

Look = list[SessionStatus] | BridgeAwayError


class Bridges:
    """The bridges of all devices."""

    def __init__(self, settings: Settings) -> None:
        self._default_url = environment.given(settings, "bridge_url")
        self._directory = Directory(
            self._default_url,
            environment.given(settings, "bridge_secret"),
            send_limit_s=settings.send_limit_s,
            http_timeout_s=settings.http_timeout_s,
        )
        self._threads = ThreadPoolExecutor(16, thread_name_prefix="look")

    def at(self, address: str) -> Bridge:
        return self._directory.at(address)

    def address_of(self, url: str | None) -> str:
        """The address under which a bridge stands in the database: ours has one name, however it was written."""
        ours = self._default_url.rstrip("/")
        return DEFAULT if url is None or url.rstrip("/") == ours else url.rstrip("/")

    def look(self, addresses: Sequence[str]) -> dict[str, Look]:
        """What each bridge says of its sessions, or that it is away; all together in at most LOOK_S seconds."""
        looks = {address: self._threads.submit(self._ask, address) for address in addresses}
        wait(looks.values(), LOOK_S)
        return {address: _told(look) for address, look in looks.items()}

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _ask(self, address: str) -> Look:
        try:
            return self.at(address).sessions(_ONE_S)
        except BridgeAwayError as away:
            return away
        except BridgeRefusedError as refused:
            return BridgeAwayError("bridge_unreachable", f"the bridge answers with an error: {refused.reason}")


def _told(look: Future[Look]) -> Look:
    return look.result() if look.done() else BridgeAwayError("bridge_unreachable", "the bridge does not answer in time")
