"""Starting and ending the process."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from bridges import SECRET, Receiver, Simulator, fresh, launch, simulator, text_to
from waiting import until

pytestmark = pytest.mark.simulator_only


def refusal(data_dir: Path, **settings: str) -> tuple[int, list[str]]:
    """The exit code and the lines of a process that does not start."""
    process = launch(data_dir, **settings)
    output, _ = process.communicate(timeout=15)
    return process.returncode, [line for line in output.splitlines() if " INFO " not in line]


@pytest.mark.parametrize("settings", [{"BRIDGE_SECRET": ""}, {"BRIDGE_SECRET": "   "}])
def test_it_refuses_an_empty_secret(tmp_path: Path, settings: dict[str, str]) -> None:
    code, lines = refusal(tmp_path, **settings)
    assert code == 2
    assert len(lines) == 1
    assert lines[0].startswith("fanfare: BRIDGE_SECRET")


def test_it_refuses_to_post_events_unsigned(tmp_path: Path) -> None:
    code, lines = refusal(tmp_path, BRIDGE_SECRET=SECRET, EVENTS_URL="http://127.0.0.1:9/", EVENTS_SECRET="")
    assert code == 2
    assert len(lines) == 1
    assert "EVENTS_SECRET" in lines[0]


def test_a_port_that_is_taken(tmp_path: Path, shared_simulator: Simulator) -> None:
    port = shared_simulator.bridge.url.rpartition(":")[2]
    code, lines = refusal(tmp_path, BRIDGE_SECRET=SECRET, PORT=port)
    assert code == 1
    assert len(lines) == 1
    assert lines[0].startswith("fanfare: cannot listen")
    assert f":{port}: Address already in use: choose another SIMULATOR_PORT" in lines[0]


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, lines = refusal(tmp_path / "file", BRIDGE_SECRET=SECRET)
    assert code == 1
    assert len(lines) == 1
    assert "simulator.db" in lines[0]


def test_sigterm_lets_a_send_end(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    with simulator(tmp_path) as running:
        session = running.bridge.new_session()
        call = pool.submit(running.bridge.send, session, text_to(fresh("99012"), deadline_s=1))
        until(lambda: running.bridge.get(f"/whatsapp/{session}/sending-status").json()["is_sending"], "under way")
        assert running.stop() == 0
        assert call.result().status_code == 200


def test_sigterm_does_not_wait_for_one_that_hangs(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    away = Receiver()
    away.close()
    with simulator(tmp_path, **away.settings) as running:
        session = running.bridge.new_session()
        body = text_to(fresh("99003"))
        call = pool.submit(running.bridge.send, session, body)
        until(lambda: running.bridge.state(session, body["key"]) == "reserved", "it hangs")
        begin = time.monotonic()
        assert running.stop() == 0
        assert time.monotonic() - begin < 5
        assert call.exception() is not None
        running.start()
        assert running.bridge.state(session, body["key"]) == "reserved"
