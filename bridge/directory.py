"""Which client serves which bridge: one for each address, made when it is first asked for."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from bridge.cloud.absent import AbsentCloud
from bridge.http_client import HttpBridge
from bridge.protocol import Bridge, BridgeAwayError, BridgeRefusedError, Told

DEFAULT = "default"  # BRIDGE_URL's address in the database: the setting may differ at each start
CLOUD = "cloud"  # Meta's Cloud API, for all numbers of it
LOOK_S = 5.0  # for all bridges together
_ONE_S = 4.5  # for one of them, so that its answer is in before time is up


class Directory:
    """Bridges by their address in the database; ``cloud`` is the client of Meta's Cloud API, where there can be one. Safe
    for threads."""

    def __init__(
        self, default_url: str, secret: str, *, send_limit_s: int, http_timeout_s: float, cloud: Bridge | None = None
    ) -> None:
        self._default_url = default_url.rstrip("/")
        self._secret = secret
        self._send_limit_s = send_limit_s
        self._http_timeout_s = http_timeout_s
        self._bridges: dict[str, Bridge] = {CLOUD: cloud or AbsentCloud()}
        self._unreached = set() if cloud else {CLOUD}
        self._lock = threading.Lock()
        self._looks = ThreadPoolExecutor(16, thread_name_prefix="look")  # a thread is started when one is needed

    def at(self, address: str) -> Bridge:
        """The client of a bridge."""
        with self._lock:
            if address not in self._bridges:
                self._bridges[address] = HttpBridge(
                    self._default_url if address == DEFAULT else address,
                    self._secret,
                    send_limit_s=self._send_limit_s,
                    http_timeout_s=self._http_timeout_s,
                )
            return self._bridges[address]

    def address_of(self, url: str | None) -> str:
        """The address under which an HTTP bridge stands in the database: ours has one name, however it was written."""
        return DEFAULT if url is None or url.rstrip("/") == self._default_url else url.rstrip("/")

    def reaches(self, address: str) -> bool:
        """Whether this process can say how a bridge is: not of Meta's Cloud API without a key for its tokens."""
        return address not in self._unreached

    def look(self, addresses: Sequence[str]) -> dict[str, Told]:
        """What each bridge that is in reach says of its sessions, or that it is away; all together in at most LOOK_S
        seconds."""
        looks = {address: self._looks.submit(self._ask, address) for address in addresses if self.reaches(address)}
        wait(looks.values(), LOOK_S)
        return {address: _told(look) for address, look in looks.items()}

    def close(self) -> None:
        """End the threads of ``look``, without waiting for bridges that hang."""
        self._looks.shutdown(wait=False, cancel_futures=True)

    def _ask(self, address: str) -> Told:
        try:
            return self.at(address).sessions(_ONE_S)
        except BridgeAwayError as away:
            return away
        except BridgeRefusedError as refused:
            return BridgeAwayError("bridge_unreachable", f"the bridge answers with an error: {refused.reason}")


def _told(look: Future[Told]) -> Told:
    return look.result() if look.done() else BridgeAwayError("bridge_unreachable", "the bridge does not answer in time")
