"""Bridges that hang, proxies that answer for them, leaders that freeze, phones that only seem well: nothing is hammered,
nothing waits for ever, and no error shows who was written to."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import redis
from people import add_devices, launch_to, phones, workspace
from placing import begin_next
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError
from waiting import until

import logs
from actors import once
from actors.leader import Leader
from bridge.http_client import HttpBridge
from bridge.protocol import BridgeAwayError, InDoubt, NotSent, Outbound, Roster, SessionStatus, Text
from db.engine import connect_once
from db.queries import query
from services import clean_up, deliver, device_views, distribute, health, receipts, suppress
from services.receipts import Incoming

NUMBER = "+972501234567"


@contextmanager
def answering(status: int, headers: dict[str, str], body: bytes) -> Iterator[tuple[HttpBridge, list[str]]]:
    """A server that gives one answer to everything, a bridge's client for it, and the paths that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body)), "Connection": "close"}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST  # noqa: N815 (the name is the server's)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield HttpBridge(f"http://127.0.0.1:{server.server_port}", "secret", send_limit_s=5, http_timeout_s=7), asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("status", [404, 502, 503])
def test_a_proxy_without_its_bridge_is_a_bridge_that_is_away(status: int) -> None:
    """A platform's proxy answers while the bridge behind it starts: what is in doubt waits for it and stays no riddle."""
    with answering(status, {"Content-Type": "text/html"}, b"<h1>Application error</h1>") as (bridge, _):
        with pytest.raises(BridgeAwayError):
            bridge.close("device1", "1.1")
        assert isinstance(bridge.send(Outbound("device1", "1.1", "1@s.whatsapp.net", Text("Hello"))), InDoubt)


def test_a_redirect_is_not_followed_with_our_secret_and_message() -> None:
    with answering(200, {}, b'{"status": "sent", "message_id": "elsewhere"}') as (other, asked):
        with answering(307, {"Location": f"{other._address}/elsewhere"}, b"") as (bridge, _):
            assert isinstance(bridge.send(Outbound("device1", "1.1", "1@s.whatsapp.net", Text("Hello"))), InDoubt)
        assert asked == []


def test_a_round_that_still_runs_is_not_queued_again(redis_url: str) -> None:
    client = redis.Redis.from_url(redis_url)
    assert once.queue(client, "check_health")
    with once.running(client, "check_health"):
        assert not once.queue(client, "check_health")
    assert once.queue(client, "check_health")
    client.close()


def test_a_leader_that_freezes_is_replaced(database_url: str) -> None:
    engine = connect_once(database_url, name="dispatcher")
    frozen = Leader.take(engine)
    assert frozen is not None
    assert Leader.take(engine) is None
    successor = until(lambda: Leader.take(engine), "another leads")  # the first one asks for nothing any more
    with pytest.raises(Exception, match=r"idle-session timeout|closed"):
        frozen.look_at_clock()
    successor.close()
    frozen.close()


def test_a_peer_that_vanished_loses_its_session(engine: Engine) -> None:
    with engine.connect() as db:
        settings = [
            db.execute(text(f"SHOW tcp_keepalives_{name}")).scalar_one() for name in ("idle", "interval", "count")
        ]
    assert settings == ["10", "5", "4"]


def test_a_slot_that_is_held_is_looked_at_when_its_lease_is_over(engine: Engine) -> None:
    with engine.begin() as db:
        (device,) = add_devices(db, 1)
        distribute.distribute(db, launch_to(db, phones(2)).campaign_id)
        assert begin_next(db, device) is not None
        lease = db.execute(text("SELECT max(lease_until) FROM messages")).scalar_one()
        token = {"device_id": device, "slot": 0}
        assert db.execute(query("next_due"), token).scalar_one() == lease
        assert db.execute(query("next_due"), {**token, "slot": 1}).scalar_one() < lease


def test_a_phone_that_only_seems_well_is_tried_again_in_the_usual_round(engine: Engine) -> None:
    """Its bridge calls it able after each refusal; from the third on it is not asked again at once."""
    refused = NotSent("not_connected", "no", "answer", retryable=True)
    with engine.begin() as db:
        (device,) = add_devices(db, 1)
        distribute.distribute(db, launch_to(db, phones(1)).campaign_id)
    soon = []
    for _ in range(4):
        with engine.begin() as db:
            begun = begin_next(db, device)
            assert begun is not None
            deliver.record(db, begun, refused, max_attempts=3, rng=random.Random(1))
            soon.append(_is_looked_at_soon(db))
            health.record(db, "default", Roster(None, [WELL]), interval_s=30)
    assert soon == [True, True, False, False]


WELL = SessionStatus("device1", "open", True, True, False, 5, None, None, None)


@pytest.mark.parametrize(
    ("state", "qr_required", "words"),
    [
        ("qr", True, "Our phone must be paired again by scanning its QR code"),
        ("starting", False, "Our phone was not connected to WhatsApp"),
        ("logged_out", True, "Our phone was logged out of WhatsApp"),
    ],
)
def test_why_a_phone_cannot_send_is_told_in_words(engine: Engine, state: str, qr_required: bool, words: str) -> None:
    told = SessionStatus("device1", state, False, False, qr_required, None, None, None, None)
    with engine.begin() as db:
        (device,) = add_devices(db, 1)
        health.record(db, "default", Roster(None, [told]), interval_s=30)
        view = device_views.one(db, workspace(db), device)
    assert view is not None
    assert (view.state, view.last_error) == (state, words)


def _is_looked_at_soon(db: Connection) -> bool:
    soon = "SELECT next_check_at < clock_timestamp() + interval '1 minute' FROM devices"
    return bool(db.execute(text(soon)).scalar_one())


def test_old_events_go_however_many_they_are(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clean_up, "BATCH", 10)
    old = datetime.now(UTC) - timedelta(days=9)
    with engine.begin() as db:
        receipts.store(db, [Incoming(f"event {n}", "device1", "receipt", old, {}) for n in range(25)])
        db.execute(text("UPDATE events SET applied_at = at, received_at = at WHERE event_id <> 'event 7'"))
        rounds = 1
        while clean_up.clean_up(db):
            rounds += 1
        left = list(db.execute(text("SELECT event_id FROM events")).scalars())
    assert (rounds, left) == (3, ["event 7"])


def test_no_logged_error_shows_who_was_written_to(
    engine: Engine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    logs.set_up("INFO", "worker")
    with pytest.raises(DBAPIError) as refused, engine.begin() as db:
        suppress.suppress(
            db, workspace(db), NUMBER, reason="no such reason", proof=f"{NUMBER[1:]}@s.whatsapp.net wrote"
        )
    root.error("refused", exc_info=refused.value)
    told = capsys.readouterr().out
    assert "suppressions_reason" in told
    assert NUMBER[1:] not in told
    assert "+972•••••67" in told
    assert "parameters hidden" in told
