"""Two sidecars on one database: each session is run by one of them, and by the other when that one is gone."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest
from bridges import fresh, text_to
from partner import FakeWhatsApp, Sidecar
from waiting import until

LEASE_S = 20


@pytest.fixture
def both(start_sidecar: Callable[..., Sidecar]) -> tuple[Sidecar, Sidecar]:
    """Two sidecars; the first has linked ``desk``."""
    first, second = start_sidecar(), start_sidecar()
    first.bridge.link("desk")
    return first, second


def able(sidecar: Sidecar) -> bool:
    return bool(sidecar.bridge.get("/whatsapp/desk/status").json().get("can_send"))


def kept(url: str) -> list[tuple[object, ...]]:
    """All that is kept of the session but its lease, byte by byte."""
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT type, id, encode(value, 'hex') FROM baileys.signal_keys ORDER BY type, id")
            keys = cursor.fetchall()
            cursor.execute("SELECT wanted, state, last_error, encode(creds, 'hex') FROM baileys.sessions")
            return [*cursor.fetchall(), *keys]
    finally:
        connection.close()


def test_one_of_them_runs_a_session(both: tuple[Sidecar, Sidecar], fake: FakeWhatsApp) -> None:
    first, second = both
    logins = fake.devices()[first.bridge.phones["desk"]]["logins"]
    second.bridge.post("/whatsapp/desk/start")
    body = text_to(fresh())
    refused = second.bridge.send("desk", body)
    assert (refused.status_code, refused.json()["error"], refused.json()["outcome"]) == (
        503,
        "not_connected",
        "not_sent",
    )
    assert not able(second)
    assert first.bridge.send("desk", body).status_code == 200
    assert second.bridge.state("desk", body["key"]) == "sent"  # the ledger is one
    assert fake.devices()[first.bridge.phones["desk"]]["logins"] == logins


def test_the_other_takes_over_from_one_that_was_killed(both: tuple[Sidecar, Sidecar], fake: FakeWhatsApp) -> None:
    first, second = both
    phone = first.bridge.phones["desk"]
    before = fake.devices()[phone]
    first.kill()
    until(lambda: able(second), "the other has it", within_s=15)
    after = fake.devices()[phone]
    assert (after["identity"], after["logins"]) == (before["identity"], before["logins"] + 1)
    body = text_to(fresh())
    assert second.bridge.send("desk", body).status_code == 200
    assert len(fake.received(body["to"])) == 1


def test_the_other_takes_over_from_one_that_was_stopped(both: tuple[Sidecar, Sidecar], fake: FakeWhatsApp) -> None:
    first, second = both
    assert first.stop() == 0
    until(lambda: able(second), "the other has it", within_s=15)
    assert second.bridge.send("desk", text_to(fresh())).status_code == 200


def test_one_that_was_frozen_past_its_lease_sends_and_writes_nothing(
    both: tuple[Sidecar, Sidecar], fake: FakeWhatsApp, empty_database: str, pool: ThreadPoolExecutor
) -> None:
    first, second = both
    phone = first.bridge.phones["desk"]
    identity = fake.devices()[phone]["identity"]
    late = text_to(fresh())
    first.freeze()
    answer = pool.submit(first.bridge.send, "desk", late, LEASE_S + 60)  # it lies in the frozen one's socket
    until(lambda: able(second), "the other has it", within_s=LEASE_S + 20)
    assert second.bridge.send("desk", text_to(fresh())).status_code == 200
    before, logins = kept(empty_database), fake.devices()[phone]["logins"]
    first.wake()
    told = answer.result()
    assert (told.status_code, told.json()["error"], told.json()["outcome"]) == (503, "not_connected", "not_sent")
    until(lambda: not able(first), "the one that woke knows that it has lost it")
    assert kept(empty_database) == before
    assert (fake.devices()[phone]["identity"], fake.devices()[phone]["logins"]) == (identity, logins)
    assert fake.received(late["to"]) == []
    assert second.bridge.close("desk", late["key"]).json()["state"] == "closed"
    assert second.bridge.send("desk", text_to(fresh())).status_code == 200


def test_what_one_was_told_to_leave_at_rest_the_other_can_start(
    both: tuple[Sidecar, Sidecar], fake: FakeWhatsApp
) -> None:
    first, second = both
    second.bridge.post("/whatsapp/desk/start")  # it stands by
    fake.close(first.bridge.phones["desk"], 440)
    until(lambda: first.bridge.status("desk")["state"] == "closed", "it rests")
    until(lambda: second.bridge.status("desk")["last_error"] == "replaced", "the other knows why", within_s=15)
    assert first.bridge.status("desk")["last_error"] == "replaced"
    first.stop()
    assert second.bridge.status("desk")["state"] == "closed"
    second.bridge.post("/whatsapp/desk/start")
    until(lambda: able(second), "it is started")
