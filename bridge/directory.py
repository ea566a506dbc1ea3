"""Which client serves which bridge: one for each address, made when it is first asked for."""

from __future__ import annotations

import threading

from bridge.http_client import HttpBridge
from bridge.protocol import Bridge

DEFAULT = "default"  # BRIDGE_URL's address in the database: the setting may differ at each start


class Directory:
    """Bridges by their address in the database. Safe for threads."""

    def __init__(self, default_url: str, secret: str, *, send_limit_s: int, http_timeout_s: int) -> None:
        self._default_url = default_url
        self._secret = secret
        self._send_limit_s = send_limit_s
        self._http_timeout_s = http_timeout_s
        self._bridges: dict[str, Bridge] = {}
        self._lock = threading.Lock()

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
