"""What stays when the sidecar, its database or its key is gone: the link, or nothing is touched."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from bridges import Receiver, fresh, text_to
from locks import held
from partner import AUTH_KEY, FakeWhatsApp, Sidecar
from waiting import until

from local.postgres import EmbeddedPostgres


@pytest.fixture
def own_postgres(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(tmp_path / "postgres", password="tests", fsync=False)
    server.start()
    yield server
    server.remove()


@pytest.mark.parametrize("kill", [True, False])
def test_a_restart_resumes_with_the_same_identity(own: Sidecar, fake: FakeWhatsApp, kill: bool) -> None:
    to, phone = fresh(), own.bridge.link("desk")
    before = fake.devices()[phone]
    for round_ in range(1, 3):
        assert own.bridge.send("desk", text_to(to)).status_code == 200
        if kill:
            own.kill()
        else:
            assert own.stop() == 0
        own.start()
        own.bridge.until_able("desk")
        after = fake.devices()[phone]
        assert (after["identity"], after["logins"]) == (before["identity"], before["logins"] + round_)
        fake.inbound(phone, to.partition("@")[0], kind="text", text="And you?", address="pn", name="Dana")
    assert own.bridge.send("desk", text_to(to)).status_code == 200
    assert len(fake.received(to)) == 3
    assert fake.devices()[phone]["unreadable"] == []


def test_what_a_person_wrote_outlives_a_kill(
    own: Sidecar, fake: FakeWhatsApp, receiver: Receiver, empty_database: str
) -> None:
    """Until it is written down WhatsApp is not told that we have it, so that it brings it again."""
    sender, phone = fresh(), own.bridge.link("inbox")
    until(lambda: [one for one in receiver.of("inbox", "connection") if one["data"]["state"] == "open"], "it is open")
    with held(empty_database, "LOCK TABLE baileys.outbox IN SHARE MODE") as outbox:
        fake.inbound(phone, sender.partition("@")[0], kind="text", text="STOP", address="pn", name="Dana")
        until(outbox.waiting, "it is read, and cannot be written down")
        own.kill()
        outbox.refuse()
    assert receiver.of("inbox", "inbound") == []
    own.start()
    (event,) = until(lambda: receiver.of("inbox", "inbound"), "the message")
    assert (event["data"]["from"], event["data"]["text"]) == (f"+{sender.partition('@')[0]}", "STOP")


def test_what_rested_still_rests(own: Sidecar) -> None:
    for session in ("works", "away", "gone"):
        own.bridge.link(session)
    own.bridge.post("/whatsapp/away/disconnect")
    own.bridge.post("/whatsapp/gone/logout")
    own.bridge.post("/whatsapp/waits/start")
    own.bridge.qr("waits")
    own.bridge.send("works", text_to(fresh()))
    before = own.bridge.status("works")
    own.kill()
    own.start()
    own.bridge.until_able("works")
    after = own.bridge.status("works")
    assert after["phone"] == before["phone"]
    moved = datetime.fromisoformat(after["last_message_ts"]) - datetime.fromisoformat(before["last_message_ts"])
    assert abs(moved) < timedelta(seconds=2)  # it is written down once a second, by the clock of the database
    assert own.bridge.status("away")["state"] == "closed"
    assert own.bridge.status("gone")["state"] == "logged_out"
    own.bridge.qr("waits")  # still waits for its scan


def test_postgres_restarts_under_it(
    start_sidecar: Callable[..., Sidecar], own_postgres: EmbeddedPostgres, fake: FakeWhatsApp
) -> None:
    own = start_sidecar(own_postgres.url)
    phone = own.bridge.link("desk")
    identity = fake.devices()[phone]["identity"]
    bodies = [text_to(fresh()) for _ in range(3)]
    assert own.bridge.send("desk", bodies[0]).status_code == 200
    own_postgres.stop()
    until(lambda: own.bridge.get("/healthz").status_code == 503, "it says that it is not well")
    away = own.bridge.send("desk", bodies[1], 60)
    assert (away.status_code, away.json()["outcome"]) in ((500, "not_sent"), (503, "not_sent"))
    own_postgres.start()
    until(lambda: own.bridge.get("/healthz").status_code == 200, "it is well again")
    own.bridge.until_able("desk", within_s=60)
    for body in bodies[1:]:
        assert own.bridge.send("desk", body).status_code == 200
    assert [len(fake.received(body["to"])) for body in bodies] == [1, 1, 1]
    assert fake.devices()[phone]["identity"] == identity
    assert own.process.poll() is None


def test_another_key_never_becomes_another_identity(own: Sidecar, fake: FakeWhatsApp) -> None:
    phone = own.bridge.link("desk")
    before = fake.devices()[phone]
    own.stop()
    own.start(BAILEYS_AUTH_KEY=base64.b64encode(bytes(32)).decode())
    until(lambda: own.bridge.status("desk")["last_error"] == "auth_unreadable", "it says so")
    own.bridge.post("/whatsapp/desk/start")
    status = own.bridge.status("desk")
    assert (status["can_send"], status["qr_required"]) == (False, False)
    assert own.bridge.get("/whatsapp/desk/qr").status_code == 404
    assert own.bridge.send("desk", text_to(fresh())).json()["error"] == "not_connected"
    own.stop()
    own.start(BAILEYS_AUTH_KEY=AUTH_KEY)
    own.bridge.until_able("desk")
    after = fake.devices()[phone]
    assert (after["identity"], after["logins"]) == (before["identity"], before["logins"] + 1)
