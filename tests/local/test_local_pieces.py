"""Ports, secrets, the Procfile, the pauses between restarts, and the audit's report."""

import base64
import json
import stat
from pathlib import Path

import pytest

from local.audit import vulnerabilities
from local.errors import LocalError
from local.ports import Ports, any_free_port
from local.procfile import read_procfile
from local.reaper import Reaper, reap
from local.run_lock import only_run
from local.secrets import NAMES, kept_secrets
from local.supervisor import next_delay
from settings import AUTH_KEY_BYTES


def test_two_runs_that_start_at_the_same_time_choose_different_ports(tmp_path: Path) -> None:
    wanted = any_free_port()
    first, second = Ports(tmp_path / "1.json"), Ports(tmp_path / "2.json")
    assert first.take("api", wanted) == wanted
    assert second.take("api", wanted) > wanted
    first.release()
    third = Ports(tmp_path / "3.json")
    assert third.take("api", wanted) == wanted
    second.release()
    third.release()


def test_a_sticky_port_is_taken_again_unless_somebody_has_it(tmp_path: Path, taken_port: int) -> None:
    last = any_free_port()
    file = tmp_path / "ports.json"
    file.write_text(json.dumps({"postgres": last, "redis": taken_port}))
    ports = Ports(file)
    assert ports.take("postgres", 20_000, sticky=True) == last
    assert ports.take("redis", 20_000, sticky=True) >= 20_000
    assert ports.take("api", 0) not in (0, last)
    ports.write()
    assert json.loads(file.read_text()) == ports.chosen
    ports.release()


def test_secrets_are_made_once_for_our_eyes_only(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    made = kept_secrets(file)
    assert set(made) == set(NAMES)
    assert len(set(made.values())) == len(NAMES)
    assert all(len(secret) >= 12 for secret in made.values())
    assert len(base64.b64decode(made["baileys_auth_key"], validate=True)) == AUTH_KEY_BYTES
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o644)
    assert kept_secrets(file) == made
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_damaged_file_of_secrets_is_not_replaced(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    file.write_text("{")
    with pytest.raises(LocalError, match="damaged"):
        kept_secrets(file)
    assert file.read_text() == "{"


def test_the_procfile_is_read_in_its_order() -> None:
    text = '# what runs\n\nweb: python -m console\nrelease: sh -c "a: b"\n'
    assert read_procfile(text) == {"web": ["python", "-m", "console"], "release": ["sh", "-c", "a: b"]}
    with pytest.raises(LocalError, match="not 'name: command'"):
        read_procfile("web python")


def test_pauses_double_to_thirty_seconds_and_start_anew_after_a_steady_minute() -> None:
    delays = [0.0]
    for _ in range(7):
        delays.append(next_delay(delays[-1], uptime_s=1))
    assert delays[1:] == [1, 2, 4, 8, 16, 30, 30]
    assert next_delay(30, uptime_s=60) == 1


def test_the_reaper_leaves_alone_what_it_was_told_to_forget() -> None:
    reap(["+1\n", "-1\n"], grace_s=0)  # group 1 would be the whole machine's


def test_a_run_is_over_only_when_its_reaper_has_ended(tmp_path: Path) -> None:
    with only_run(tmp_path) as lock:
        reaper = Reaper(grace_s=0, keep_open=[lock])
    with pytest.raises(LocalError, match="already running"), only_run(tmp_path):
        pass
    reaper.close()
    with only_run(tmp_path):
        pass


def test_the_audit_passes_only_what_was_looked_up() -> None:
    clean = {"name": "a", "version": "1", "vulns": []}
    found = {"name": "b", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["3"]}]}
    assert vulnerabilities(json.dumps({"dependencies": [clean]})) == []
    assert vulnerabilities(json.dumps({"dependencies": [clean, found]})) == ["b 2: CVE-1, fixed in 3"]
    for unreachable in ("", json.dumps({"dependencies": [clean, {"name": "c", "skip_reason": "not found"}]})):
        with pytest.raises(LocalError, match="advisory service"):
            vulnerabilities(unreachable)
