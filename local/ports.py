"""Which port each server gets: the wanted one or the next that is free, and the same again at the next start."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from local.errors import LocalError

HIGHEST = 65_535


def any_free_port() -> int:
    """A port that nobody listens on now; somebody may be quicker."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Ports:
    """The ports of one run, reserved against other runs on this machine until ``release``.

    Between choosing a port and a server's listening on it another run could choose it too. So each chosen port is also
    taken as an abstract Unix socket, which needs no file, and which the kernel lets go however we end.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._reservations: list[socket.socket] = []
        self._remembered = _read(file)
        self.chosen: dict[str, int] = {}

    def take(self, name: str, wanted: int, *, sticky: bool = False) -> int:
        """Choose a port for ``name``: ``wanted`` or the next free one, 0 for any.

        ``sticky``: the port of the last run, when it is still free, goes before ``wanted``.
        """
        candidates = range(wanted, HIGHEST + 1) if wanted else iter(any_free_port, 0)
        if sticky and name in self._remembered and self._reserve(self._remembered[name]):
            self.chosen[name] = self._remembered[name]
            return self.chosen[name]
        for port in candidates:
            if self._reserve(port):
                self.chosen[name] = port
                return port
        raise LocalError(f"no port from {wanted} upwards is free for {name}: choose a lower one in the settings")

    def write(self) -> None:
        """Put the chosen ports into the file, whole or not at all."""
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps(self.chosen, indent=2) + "\n")
        new.replace(self._file)

    def release(self) -> None:
        for reservation in self._reservations:
            reservation.close()
        self._reservations.clear()

    def _reserve(self, port: int) -> bool:
        reservation = socket.socket(socket.AF_UNIX)
        try:
            reservation.bind(f"\0fanfare-port-{port}")
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("", port))
                probe.listen()  # two may be bound with SO_REUSEADDR; only one may listen
        except OSError:
            reservation.close()
            return False
        self._reservations.append(reservation)
        return True


def _read(file: Path) -> dict[str, int]:
    try:
        remembered: dict[str, int] = json.loads(file.read_text())
    except (FileNotFoundError, ValueError):  # a hint only: a damaged file is as good as none
        return {}
    return remembered
