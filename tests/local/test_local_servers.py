"""The embedded Postgres and Redis, for real."""

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from waiting import until

import local.server
from local.child import Owner, spawn
from local.errors import LocalError
from local.place import UNPRIVILEGED, place_for, remove_place
from local.ports import any_free_port
from local.postgres import EmbeddedPostgres
from local.processes import alive, running_in, stop_leftovers
from local.redis import EmbeddedRedis
from settings import ROOT


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path / "a folder", password="it's a secret", fsync=False)
    yield server
    server.remove()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(tmp_path / 'a "folder"', password='it\'s a "secret"', fsync=False)
    yield server
    server.remove()


def query(server: EmbeddedPostgres, sql: str) -> list[tuple[object, ...]]:
    with closing(psycopg2.connect(server.url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []


def test_postgres_speaks_utf8_utc_and_keeps_its_data_over_stop_and_kill(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    port = postgres.port
    assert query(postgres, "SHOW server_encoding") == [("UTF8",)]
    assert query(postgres, "SHOW timezone") == [("UTC",)]
    assert query(postgres, "SELECT lower('Ä'), 'א' < 'ב'") == [("ä", True)]
    query(postgres, "CREATE TABLE kept (what text)")
    query(postgres, "INSERT INTO kept VALUES ('stopped')")
    postgres.stop()
    postgres.start()
    query(postgres, "INSERT INTO kept VALUES ('killed')")
    postgres.kill()
    postgres.start()
    assert query(postgres, "SELECT what FROM kept ORDER BY what") == [("killed",), ("stopped",)]
    assert postgres.port == port


def test_postgres_asks_for_the_password_and_listens_here_only(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(postgres.url.replace("secret", "guess"))
    assert query(postgres, "SHOW listen_addresses") == [("127.0.0.1",)]
    assert query(postgres, "SHOW unix_socket_directories") == [("",)]
    assert stat.S_IMODE(postgres.data.stat().st_mode) == 0o700


def test_an_error_puts_no_data_into_the_log(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    query(postgres, "CREATE TABLE people (phone text PRIMARY KEY)")
    query(postgres, "INSERT INTO people VALUES ('+972501234567')")
    with pytest.raises(psycopg2.errors.UniqueViolation):
        query(postgres, "INSERT INTO people VALUES ('+972501234567')")
    said = postgres.log.read_text()
    assert "duplicate key" in said
    assert "972501234567" not in said


def test_two_owners_never_run_on_one_folder(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    with pytest.raises(LocalError, match="another process already runs Postgres"):
        EmbeddedPostgres(postgres.folder, password="it's a secret").start()
    assert query(postgres, "SELECT 1") == [(1,)]


def test_a_server_that_lost_its_owner_is_stopped_first(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    postgres.stop()
    place = place_for(postgres.folder)
    with (postgres.folder / "log of the lost one").open("wb") as log:
        lost = spawn(
            postgres._command(any_free_port()), death_signal=signal.SIGINT, env={}, output=log, owner=place.owner
        )
    until(lambda: b"ready to accept" in (postgres.folder / "log of the lost one").read_bytes(), "it has started")
    postgres.start()
    assert lost.wait(10) == 0
    assert postgres.pid != lost.pid
    assert query(postgres, "SELECT 1") == [(1,)]


PARENT = """
import signal, subprocess, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # what comes waits, for the child too
tells = "import signal; print('here', flush=True); input(); print(signal.SIGTERM in signal.sigpending())"
with subprocess.Popen([sys.executable, "-c", tells], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
    print(child.stdout.readline().strip(), flush=True)
    signal.sigwait({signal.SIGTERM})
    print(child.communicate("end")[0].strip())
"""


def test_the_children_of_a_server_that_lost_its_owner_are_left_to_it(tmp_path: Path) -> None:
    """Postgres' checkpointer, told to end by us as well, makes a crash of it."""
    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "here\n"
        stop_leftovers(tmp_path, Path(sys.executable).resolve().name, signal.SIGTERM)
        assert parent.stdout.read() == "False\n"


def test_a_stale_pid_that_is_somebody_elses_by_now_does_not_matter(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    postgres.kill()
    owner = place_for(postgres.folder).owner
    other = spawn(["sleep", "600"], death_signal=signal.SIGKILL, env={}, output=subprocess.DEVNULL, owner=owner)
    note = postgres.data / "postmaster.pid"
    until(lambda: not running_in(postgres.data, "postgres"), "its processes are gone")
    lines = note.read_text().splitlines()
    note.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
    try:
        postgres.start()
        assert query(postgres, "SELECT 1") == [(1,)]
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_data_of_another_major_version_are_refused_in_one_line(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    postgres.stop()
    (postgres.data / "PG_VERSION").write_text("17\n")
    with pytest.raises(LocalError, match=r"made by Postgres 17, this is 18") as refusal:
        postgres.start()
    assert "\n" not in str(refusal.value)


def test_a_password_that_does_not_fit_the_data_is_told(postgres: EmbeddedPostgres) -> None:
    postgres.start()
    postgres.stop()
    with pytest.raises(LocalError, match="does not open the database"):
        EmbeddedPostgres(postgres.folder, password="another").start()


def test_an_interrupted_initdb_is_done_again(postgres: EmbeddedPostgres) -> None:
    postgres.folder.mkdir()
    home = place_for(postgres.folder).home
    (home / "unfinished").mkdir()
    (home / "unfinished" / "PG_VERSION").write_text("18")
    postgres.start()
    assert query(postgres, "SELECT 1") == [(1,)]


@pytest.mark.parametrize("kind", [EmbeddedPostgres, EmbeddedRedis])
def test_a_port_that_somebody_was_quicker_to_take_is_given_up(
    kind: type[EmbeddedPostgres] | type[EmbeddedRedis], tmp_path: Path, taken_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = iter([taken_port, any_free_port()])
    monkeypatch.setattr(local.server, "any_free_port", lambda: next(ports))
    server = kind(tmp_path / "it", password="secret", fsync=False)
    try:
        server.start()
        assert server.port != taken_port
    finally:
        server.remove()


def test_redis_keeps_its_data_asks_for_the_password_and_never_evicts(redis_server: EmbeddedRedis) -> None:
    redis_server.start()
    with redis.Redis.from_url(redis_server.url) as client:
        client.set("what", "kept")
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("bind") == {"bind": "127.0.0.1"}
    at_once = Retry(NoBackoff(), 0)
    with redis.Redis(port=redis_server.port, retry=at_once) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()
    for end in (redis_server.kill, redis_server.stop):
        end()
        redis_server.start()
        with redis.Redis.from_url(redis_server.url) as client:
            assert client.get("what") == b"kept"


OWNER = """
import signal, sys
from pathlib import Path
from local.postgres import EmbeddedPostgres
from local.redis import EmbeddedRedis
folder = Path(sys.argv[1])
postgres = EmbeddedPostgres(folder / "postgres", password="secret", fsync=False)
redis = EmbeddedRedis(folder / "redis", password="secret", fsync=False)
postgres.start()
redis.start()
print(postgres.pid, redis.pid, flush=True)
signal.pause()
"""


def owner_process(folder: Path, **options: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", OWNER, str(folder)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, **options)  # type: ignore[call-overload]


def ended_with_owner(owner: "subprocess.Popen[str]") -> None:
    assert owner.stdout is not None
    with owner:
        pids = [int(word) for word in owner.stdout.readline().split()]
        assert len(pids) == 2
        assert all(alive(pid) for pid in pids)
        owner.kill()
    until(lambda: not any(alive(pid) for pid in pids), "the servers end with their owner")


def test_servers_end_with_an_owner_that_was_killed(tmp_path: Path) -> None:
    try:
        ended_with_owner(owner_process(tmp_path))
    finally:
        EmbeddedPostgres(tmp_path / "postgres", password="secret").remove()


def interpreter_is_closed_to(owner: Owner) -> bool:
    """Whether a folder on the way to this Python or to our modules keeps other users out."""
    paths = [Path(sys.executable).resolve(), Path(sys.prefix), Path(psycopg2.__file__), ROOT / "settings.py"]
    return any(not parent.stat().st_mode & stat.S_IXOTH for path in paths for parent in path.parents)


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests run as an ordinary user already")
def test_an_ordinary_user_keeps_the_data_in_the_folder(as_unprivileged: Callable[[], Owner], tmp_path: Path) -> None:
    owner = as_unprivileged()
    if interpreter_is_closed_to(owner):
        pytest.skip(f"this Python or this clone cannot be entered by {UNPRIVILEGED}")
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o700)
    for parent in (tmp_path, *tmp_path.parents[:2]):
        parent.chmod(parent.stat().st_mode | stat.S_IXOTH)
    os.chown(folder, owner.uid, owner.gid)
    ended_with_owner(owner_process(folder, user=owner.uid, group=owner.gid, extra_groups=[]))
    assert (folder / "postgres" / "data" / "PG_VERSION").exists()
    with pytest.raises(LocalError, match="belongs to user"):
        place_for(folder / "postgres")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root keeps data outside the folder")
class TestRootsPlace:
    def test_a_moved_folder_keeps_its_home_and_a_copied_one_gets_its_own(self, tmp_path: Path) -> None:
        first, second, third = (tmp_path / name for name in ("first", "second", "third"))
        first.mkdir()
        place = place_for(first)
        assert place_for(first) == place
        first.rename(second)
        moved = place_for(second)
        assert moved == place
        third.mkdir()
        (third / "place").write_text((second / "place").read_text())
        copied = place_for(third)
        assert copied.home != place.home
        remove_place(second, moved)
        remove_place(third, copied)

    def test_a_removed_folder_gets_a_new_home_and_the_older_one_is_named(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        folder = tmp_path / "folder"
        folder.mkdir()
        older = place_for(folder)
        shutil.rmtree(folder)
        folder.mkdir()
        newer = place_for(folder)
        assert newer.home != older.home
        assert str(older.home) in capsys.readouterr().out
        remove_place(folder, newer)
        folder.mkdir()
        remove_place(folder, older)

    def test_removing_leaves_nothing(self, tmp_path: Path) -> None:
        server = EmbeddedPostgres(tmp_path / "postgres", password="secret", fsync=False)
        server.start()
        home = server.data.parent
        assert os.stat(home).st_uid != 0
        server.remove()
        assert not home.exists()
        assert not server.folder.exists()
