"""A Postgres on a disk that a test can fill, and free again."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from databases import admin
from waiting import until

from local.postgres import EmbeddedPostgres

SIZE = "160m"  # a new Postgres with what it writes ahead takes half; the memory is used for what is there
ANY = resource.RLIM_INFINITY


@dataclass
class DiskThatFills:
    """``ballast`` is a file on the small file system that ``postgres`` has its data on; None where this machine does not
    let us mount one: then the kernel refuses Postgres itself to make any file longer, which is as good as a full disk for
    what it writes ahead, and it dies of that at once."""

    postgres: EmbeddedPostgres
    ballast: Path | None

    @contextmanager
    def full(self) -> Iterator[None]:
        if self.ballast is None:
            self._limit(4096)
            yield  # what it was refused it has died of: there is nobody left to allow it to
            return
        with self.ballast.open("wb", buffering=0) as file:
            for piece in (b"\0" * (1 << 20), b"\0" * (1 << 12)):
                with suppress(OSError):
                    while True:
                        file.write(piece)
        try:
            yield
        finally:
            self.ballast.unlink()

    def _limit(self, most: int) -> None:
        children = Path(f"/proc/{self.postgres.pid}/task/{self.postgres.pid}/children").read_text().split()
        for pid in (self.postgres.pid, *map(int, children)):
            with suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, ANY))

    def until_it_dies(self) -> None:
        """Have it write ahead until it cannot, of which it dies, and not come to life again."""

        def dead() -> bool:
            with suppress(psycopg2.Error):
                admin(self.postgres.url, "SELECT pg_switch_wal()", "CREATE TEMP TABLE filler AS SELECT 1")
            return not self.postgres.running

        until(dead, "Postgres dies of its full disk", within_s=30)


def mounted(folder: Path) -> bool:
    """Whether a file system of SIZE could be mounted there, by root or by who may become root unasked."""
    stat = folder.stat()
    options = f"size={SIZE},mode=0700,uid={stat.st_uid},gid={stat.st_gid}"
    return _as_root("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder))


def unmount(folder: Path) -> None:
    assert _as_root("umount", str(folder))


def _as_root(*command: str) -> bool:
    with suppress(FileNotFoundError):
        prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
        return subprocess.run([*prefix, *command], check=False, capture_output=True).returncode == 0
    return False
