"""The embedded Postgres: the wheel's programs called directly, with a TCP port and a password."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import psycopg2

from local.child import Owner, spawn
from local.errors import LocalError
from local.place import Place, place_for, remove_place
from local.server import EmbeddedServer

NAME = "fanfare"  # of the user and of the database
MAJOR = "18"
CONNECTIONS = 200

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": str(CONNECTIONS),
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    # Parallel plans need /dev/shm, which containers keep small, and our queries touch few rows.
    "max_parallel_workers_per_gather": "0",
    # An error's detail or statement would put people's phone numbers into the log.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_line_prefix": "%m [%p] ",
}


class EmbeddedPostgres(EmbeddedServer):
    """Postgres 18 with one user and one database, both called fanfare; UTF-8, C.UTF-8, UTC.

    As root it runs as an unprivileged user and keeps its data below /var/lib/fanfare; see local/place.py.
    """

    title = "Postgres"
    program = "postgres"
    stop_signal = signal.SIGINT  # "fast": clients are sent away, data are written

    def __init__(self, folder: Path, *, password: str, port: int | None = None, fsync: bool = True) -> None:
        super().__init__(folder, password=password, port=port, fsync=fsync)
        self._place: Place | None = None

    @property
    def url(self) -> str:
        return f"postgresql://{NAME}:{quote(self._password, safe='')}@127.0.0.1:{self.port}/{NAME}"

    @property
    def data(self) -> Path:
        return self._placed().home / "data"

    def remove(self) -> None:
        self.stop()
        if self.folder.exists():
            remove_place(self.folder, self._placed())
        self._place = None

    def _placed(self) -> Place:
        if self._place is None:
            self._place = place_for(self.folder)
        return self._place

    def _owner(self) -> Owner | None:
        return self._placed().owner

    def _prepare(self) -> None:
        self._stop_leftovers()
        version = self.data / "PG_VERSION"
        if not version.exists():
            self._make_data()
        elif (major := version.read_text().strip()) != MAJOR:
            raise LocalError(
                f"{self.data} was made by Postgres {major}, this is {MAJOR}: dump it with the old version and restore "
                "it here, or remove the folder to start anew without its data"
            )
        # Nothing runs on these data (we hold the lock and have looked), so a pid written there is a dead server's, and
        # Postgres would refuse to start if another process of this user had that number by now.
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _make_data(self) -> None:
        """Run initdb beside the data folder and rename at the end: an interrupted one leaves nothing half-made."""
        place = self._placed()
        unfinished = place.home / "unfinished"
        password_file = place.home / "password"
        shutil.rmtree(unfinished, ignore_errors=True)
        password_file.touch(mode=0o600)
        if place.owner is not None:
            shutil.chown(password_file, place.owner.uid, place.owner.gid)
        password_file.write_text(self._password + "\n")
        try:
            self._initdb(place, unfinished, password_file)
        finally:
            password_file.unlink()
        unfinished.rename(self.data)

    def _initdb(self, place: Place, folder: Path, password_file: Path) -> None:
        command = [
            str(place.programs / "initdb"),
            f"--pgdata={folder}",
            f"--username={NAME}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            *([] if self._fsync else ["--no-sync"]),
        ]
        env = {"LC_ALL": "C", "TZ": "UTC"}
        process = spawn(command, death_signal=signal.SIGKILL, env=env, output=subprocess.PIPE, owner=place.owner)
        try:
            said = process.communicate()[0].decode(errors="replace").strip()
        except BaseException:
            process.kill()
            process.wait()
            raise
        if process.returncode != 0:
            raise LocalError(f"Postgres cannot make its data in {folder}: {(said.splitlines() or ['no word'])[-1]}")

    def _command(self, port: int) -> Sequence[str]:
        settings = SETTINGS | {"port": str(port), "fsync": "on" if self._fsync else "off"}
        place = self._placed()
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(place.programs / "postgres"), "-D", str(self.data), *options]

    def _answers(self) -> bool:
        try:
            with closing(
                psycopg2.connect(
                    host="127.0.0.1",
                    port=self.port,
                    user=NAME,
                    password=self._password,
                    dbname="postgres",
                    connect_timeout=2,
                )
            ) as connection:
                connection.autocommit = True
                with connection.cursor() as cursor:
                    cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (NAME,))
                    if cursor.fetchone() is None:
                        cursor.execute(f"CREATE DATABASE {NAME}")
                return True
        except psycopg2.OperationalError as error:
            if "password authentication failed" in str(error):
                raise LocalError(
                    f"the password kept here does not open the database in {self.data}: restore the file of secrets it "
                    "was made with, or remove that folder to start anew without its data"
                ) from None
            return False
