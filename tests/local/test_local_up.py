"""``make up`` as a person meets it: in a clone below a 0700 folder, with stand-ins for the processes of the others."""

import http.client
import os
import re
import signal
import stat
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
import redis
from clone import PROCFILE, Clone, processes_of
from waiting import until

from local.environment import embedded_servers, process_environment
from local.errors import LocalError
from local.processes import running_in
from local.secrets import NAMES
from settings import Settings


@pytest.fixture(scope="module")
def one_clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    with Clone(tmp_path_factory.mktemp("up") / "clone") as made:
        yield made


@pytest.fixture
def clone(one_clone: Clone) -> Iterator[Clone]:
    """The clone as a person finds it again: not running, with the data of the tests before."""
    one_clone.procfile(PROCFILE)
    yield one_clone
    one_clone.end_runs()


def end(run: "subprocess.Popen[str]", how: signal.Signals = signal.SIGINT) -> int:
    run.send_signal(how)
    return run.wait(30)


def test_it_serves_keeps_its_data_and_leaves_nothing_behind(clone: Clone) -> None:
    run = clone.up_and_ready()
    ports = clone.kept("ports")
    assert set(ports) == {"api", "console", "bridge", "postgres", "redis"}
    for name in ("api", "console"):
        with closing(http.client.HTTPConnection("127.0.0.1", ports[name], timeout=5)) as connection:
            connection.request("GET", "/")
            assert connection.getresponse().status == 200
    secrets_file = clone.folder / ".local" / "secrets.json"
    assert stat.S_IMODE(secrets_file.stat().st_mode) == 0o600
    assert clone.kept("secrets")["console_password"] in clone.said()
    others = [value for name, value in clone.kept("secrets").items() if name != "console_password"]
    assert not any(secret in clone.said() for secret in others)
    assert "\033" not in clone.said()
    assert (clone.folder / ".local/logs/release.log").read_text() == "migrated\n"
    assert (clone.folder / ".local/logs/seed.log").read_text() == "seeded\n"
    with closing(psycopg2.connect(clone.database_url())) as connection, connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept AS SELECT 42 AS what")
    with redis.Redis.from_url(clone.redis_url()) as client:
        client.set("what", 42)

    assert end(run) == 0
    assert "told to end" in clone.said()
    assert processes_of(clone.folder) == []

    clone.up_and_ready()
    assert clone.kept("ports") == ports
    with closing(psycopg2.connect(clone.database_url())) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT what FROM kept")
        assert cursor.fetchall() == [(42,)]
    with redis.Redis.from_url(clone.redis_url()) as client:
        assert client.get("what") == b"42"
    assert (clone.folder / ".local/logs/api.log.1").exists()


def test_real_whatsapp_starts_with_its_packages_its_key_and_words_about_the_first_phone(clone: Clone) -> None:
    clone.procfile(PROCFILE.replace("bridge: python standin.py wait", "bridge: python standin.py bridge"))
    clone.up_and_ready({"BRIDGE": "baileys"})
    assert (clone.folder / ".local/logs/install.log").read_text() == "installed\n"
    until(lambda: "bridge     | baileys" in clone.said(), "the bridge has started")
    assert f"port {clone.kept('ports')['bridge']}" in clone.said()
    key = clone.kept("secrets")["baileys_auth_key"]
    assert f"a key of {len(key)}" in clone.said()
    assert key not in clone.said()
    assert "Phones, Add a phone" in clone.said()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_other_stop_signals_end_it_as_well(clone: Clone, how: signal.Signals) -> None:
    assert end(clone.up_and_ready(), how) == 0
    assert processes_of(clone.folder) == []


def test_nothing_outlives_a_killed_run_and_the_next_one_works(clone: Clone) -> None:
    run = clone.up_and_ready()
    assert len(processes_of(clone.folder)) > 8  # the run, the reaper, five children, a grandchild, Postgres' and Redis
    end(run, signal.SIGKILL)
    clone.up_and_ready()  # at once: it waits for what is still ending
    assert end(clone.runs[-1]) == 0
    until(lambda: processes_of(clone.folder) == [], f"nothing is left of {processes_of(clone.folder)}")


def test_a_second_run_on_the_same_data_is_refused_with_the_firsts_addresses(clone: Clone) -> None:
    first = clone.up_and_ready()
    ports = clone.kept("ports")
    second = clone.up()
    assert second.wait(30) == 1
    said = clone.said().strip()
    assert "\n" not in said
    assert str(first.pid) in said
    assert f"127.0.0.1:{ports['console']}" in said
    assert f"127.0.0.1:{ports['api']}" in said
    assert first.poll() is None


def test_a_taken_port_gives_way_to_the_next(clone: Clone, taken_port: int) -> None:
    clone.up_and_ready({"API_PORT": str(taken_port), "CONSOLE_PORT": str(taken_port), "PORT": "1"})
    ports = clone.kept("ports")
    assert taken_port < ports["api"] < ports["console"]
    assert f":{ports['console']}\n" in clone.said()


def test_a_second_ctrl_c_does_not_wait(clone: Clone) -> None:
    clone.procfile(PROCFILE + "stubborn: python standin.py stubborn\n")
    run = clone.up_and_ready()
    until(lambda: "stubborn   |" in clone.said(), "the stubborn one has started")
    run.send_signal(signal.SIGINT)
    until(lambda: "told to end" in clone.said(), "somebody was told to end")
    assert run.poll() is None
    run.send_signal(signal.SIGINT)
    assert run.wait(20) == 0  # the grace is 25 s
    until(lambda: processes_of(clone.folder) == [], "the killed are gone")


def test_a_process_that_dies_is_started_again_after_growing_pauses(clone: Clone) -> None:
    clone.procfile(PROCFILE + "failing: python standin.py fail\n")
    clone.up_and_ready()
    until(lambda: "starts again in 2 s" in clone.said(), "it is started a second time")
    assert re.findall(r"failing ended with code 3; it starts again in (\d) s", clone.said()) == ["1", "2"]
    assert clone.said().count("failing    | something is wrong") == 2


def test_a_killed_worker_takes_its_children_along_and_comes_back(clone: Clone) -> None:
    clone.up_and_ready()
    until(lambda: "worker     | child" in clone.said(), "the worker has started")
    child = int(re.findall(r"worker     \| child (\d+)", clone.said())[0])
    with open(f"/proc/{child}/stat") as stat_file:
        worker = int(stat_file.read().rpartition(")")[2].split()[1])
    os.kill(worker, signal.SIGKILL)
    until(lambda: clone.said().count("worker     | child") == 2, "the worker has come back")
    assert child not in processes_of(clone.folder)


def test_a_server_that_dies_is_started_again_with_its_data(clone: Clone) -> None:
    clone.up_and_ready()
    data = clone.folder / ".local" / "redis" / "data"
    with redis.Redis.from_url(clone.redis_url()) as client:
        client.set("survives", 1)
    (killed,) = running_in(data, "redis-server")
    os.kill(killed, signal.SIGKILL)
    until(lambda: running_in(data, "redis-server") not in ([], [killed]), "Redis has come back")
    with redis.Redis.from_url(clone.redis_url()) as client:  # which tries again while it starts
        assert client.get("survives") == b"1"
    assert "Redis has ended; it starts again" in clone.said()


def test_a_release_that_fails_ends_the_start_with_one_line(clone: Clone) -> None:
    clone.procfile(PROCFILE.replace("python -c \"print('migrated')\"", "python standin.py fail"))
    run = clone.up()
    assert run.wait(30) == 1
    (line,) = clone.said().splitlines()
    assert "the release step" in line
    assert "something is wrong" in line
    assert processes_of(clone.folder) == []


def test_ctrl_c_during_the_start_leaves_nothing(clone: Clone) -> None:
    clone.procfile(PROCFILE.replace("python -c \"print('migrated')\"", "python standin.py wait"))
    run = clone.up()
    log = clone.folder / ".local" / "logs" / "release.log"
    until(lambda: log.exists() and "here" in log.read_text(), "the release step has started")
    assert end(run) == 0
    assert processes_of(clone.folder) == []


def test_on_a_platform_embedded_servers_refuse(clone: Clone) -> None:
    run = clone.up({"DYNO": "web.1"})
    assert run.wait(30) == 1
    (line,) = clone.said().splitlines()
    assert "DATABASE_URL" in line


def settings(**values: object) -> Settings:
    return Settings(_env_file=None, **values)  # type: ignore[call-arg, arg-type]


def test_what_is_set_is_not_embedded() -> None:
    assert embedded_servers(settings()) == ["postgres", "redis", "bridge"]
    given = settings(database_url="postgresql://x", bridge_url="http://x", bridge_secret="a", events_secret="b")
    assert embedded_servers(given) == ["redis"]
    with pytest.raises(LocalError, match="BRIDGE_SECRET"):
        embedded_servers(settings(bridge_url="http://x"))


def test_set_values_stay_and_missing_ones_are_filled_in() -> None:
    kept = {name: f"made {name}" for name in NAMES}
    env = process_environment(
        {"api_port": "8000", "API_TOKEN": "theirs", "HOME": "/x"},
        settings(api_token="theirs", host="::"),
        kept=kept,
        ports={"api": 8001, "console": 8501, "bridge": 8100},
        urls={"redis_url": "redis://embedded"},
        data_dir=Path("/data"),
    )
    assert "api_port" not in env
    assert env["API_PORT"] == "8001"
    assert env["API_TOKEN"] == "theirs"
    assert env["BRIDGE_SECRET"] == "made bridge_secret"
    assert env["CLOUD_TOKEN_KEY"] == "made cloud_token_key"
    assert env["EVENTS_URL"] == "http://127.0.0.1:8001/events/bridge"
    assert env["BRIDGE_URL"] == "http://127.0.0.1:8100"
    assert env["REDIS_URL"] == "redis://embedded"
    assert "DATABASE_URL" not in env


@pytest.mark.parametrize(("bridge", "port"), [("simulator", "SIMULATOR_PORT"), ("baileys", "BAILEYS_PORT")])
def test_the_chosen_port_is_that_of_the_bridge_that_runs(bridge: str, port: str) -> None:
    env = process_environment(
        {},
        settings(bridge=bridge),
        kept=dict.fromkeys(NAMES, "made"),
        ports={"api": 8001, "console": 8501, "bridge": 8300},
        urls={},
        data_dir=Path("/data"),
    )
    assert env[port] == "8300"
    assert env["BRIDGE_URL"] == "http://127.0.0.1:8300"
    assert env["BAILEYS_AUTH_KEY"] == "made"
